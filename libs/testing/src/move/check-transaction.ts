import { fromBase64, normalizeStructTag, normalizeSuiAddress } from '@mysten/sui/utils';
import type { TransactionDataBuilder } from '@mysten/sui/transactions';
import type { CompiledFunction, CompiledPackage } from './compiled.js';
import { pureFault } from './pure-schema.js';

/** What a transaction is checked against. */
export interface CheckedAgainst {
  readonly compiled: CompiledPackage;
  readonly packageId: string;
  /** The Move type of every object, our own modules without an address: `data_dao::Dao<0x2::sui::SUI>`. */
  readonly typeOf: (objectId: string) => string | undefined;
  /** Functions of other packages, by `0x…::module::function` with a short address. */
  readonly others?: ReadonlyMap<string, CompiledFunction> | undefined;
}
export interface CheckedCall {
  /** `module::function` */
  readonly target: string;
  readonly typeArguments: readonly string[];
}

type Data = Pick<TransactionDataBuilder, 'inputs' | 'commands'>;
type Command = Data['commands'][number];
type Argument = Extract<Command, { $kind: 'MoveCall' }>['MoveCall']['arguments'][number];

/** Functions of the framework that the adapter calls; their signatures do not change within a major version of Sui. */
const FRAMEWORK: Readonly<Record<string, CompiledFunction>> = {
  '0x1::vector::empty': fn([], ['vector<T0>'], 1),
  '0x1::vector::append': fn(['&mut vector<T0>', 'vector<T0>'], [], 1),
  '0x2::coin::destroy_zero': fn(['0x2::coin::Coin<T0>'], [], 1),
  '0x2::coin::zero': fn([], ['0x2::coin::Coin<T0>'], 1),
  '0x2::package::make_immutable': fn(['0x2::package::UpgradeCap'], [], 0),
};
function fn(parameters: string[], returns: string[], typeParameters: number): CompiledFunction {
  return { visibility: 'Public', isEntry: false, parameters, returns, typeParameters };
}

/**
 * Runs a transaction over types alone, as the chain does before it executes one: every function exists and may be
 * called, every argument is of the parameter's type and in its place, references are given only where there is a value,
 * and nothing that was made is left over. Throws at the first fault and names it; returns the calls.
 */
export function checkTransaction(data: Data, against: CheckedAgainst): CheckedCall[] {
  return new Run(data, against).run();
}

interface Value {
  readonly type: string;
  spent: boolean;
  used: boolean;
}

class Run {
  /** By command, then by result. */
  readonly #results: Value[][] = [];
  readonly #calls: CheckedCall[] = [];

  constructor(
    private readonly data: Data,
    private readonly against: CheckedAgainst,
  ) {}

  run(): CheckedCall[] {
    for (const [index, command] of this.data.commands.entries()) {
      this.#results.push(
        this.#command(command, `command ${index}`).map((type) => ({ type, spent: false, used: false })),
      );
    }
    const left = this.#results.flat().find(({ used }) => !used);
    if (left !== undefined) throw new Error(`a result is not used: ${left.type}`);
    return this.#calls;
  }

  #command(command: Command, where: string): string[] {
    switch (command.$kind) {
      case 'MoveCall':
        return this.#call(command.MoveCall, where);
      case 'SplitCoins': {
        const { coin, amounts } = command.SplitCoins;
        const type = this.#typeOf(coin);
        for (const amount of amounts) this.#give(amount, 'u64', `${where} amount`);
        return amounts.map(() => type);
      }
      case 'MergeCoins': {
        const type = this.#typeOf(command.MergeCoins.destination);
        for (const source of command.MergeCoins.sources) this.#give(source, type, `${where} source`);
        return [];
      }
      case 'TransferObjects': {
        for (const object of command.TransferObjects.objects) this.#give(object, this.#typeOf(object), where);
        this.#give(command.TransferObjects.address, 'address', `${where} address`);
        return [];
      }
      case 'Publish':
        return ['0x2::package::UpgradeCap'];
      case 'Upgrade':
        this.#give(command.Upgrade.ticket, '0x2::package::UpgradeTicket', `${where} ticket`);
        return ['0x2::package::UpgradeReceipt'];
      default:
        throw new Error(`${where}: ${command.$kind} is not expected`);
    }
  }

  #call(call: Extract<Command, { $kind: 'MoveCall' }>['MoveCall'], where: string): string[] {
    const short = shortTarget(call);
    const ours = normalizeSuiAddress(call.package) === this.against.packageId;
    const target = `${call.module}::${call.function}`;
    const known = ours ? this.against.compiled.functions.get(target) : this.#other(short);
    if (known === undefined) throw new Error(`${where}: there is no ${ours ? target : short}`);
    if (known.visibility !== 'Public' && !known.isEntry) throw new Error(`${where}: ${target} is not public`);
    if (call.typeArguments.length !== known.typeParameters) {
      throw new Error(`${where}: ${target} takes ${known.typeParameters} type arguments`);
    }
    const typeArguments = call.typeArguments.map(canonical);
    const bind = (type: string): string =>
      type.replaceAll(/\bT(\d+)\b/g, (_, index: string) => typeArguments[Number(index)]!);
    const parameters = known.parameters.filter((type) => !/^&(mut )?0x2::tx_context::TxContext$/.test(type)).map(bind);
    if (call.arguments.length !== parameters.length) {
      throw new Error(`${where}: ${target} takes ${parameters.length} arguments, not ${call.arguments.length}`);
    }
    for (const [i, argument] of call.arguments.entries())
      this.#give(argument, parameters[i]!, `${where}: ${target} argument ${i}`);
    if (ours) this.#calls.push({ target, typeArguments });
    return known.returns.map(bind);
  }

  #other(short: string): CompiledFunction | undefined {
    return FRAMEWORK[short] ?? this.against.others?.get(short);
  }

  /** Give an argument to a parameter of this type: by value, or by reference where the type begins with `&`. */
  #give(argument: Argument, parameter: string, where: string): void {
    const reference = /^&(mut )?/.exec(parameter)?.[0];
    const type = parameter.slice(reference?.length ?? 0);
    if (argument.$kind === 'Input') {
      const input = this.data.inputs[argument.Input]!;
      if (input.$kind === 'Pure') {
        const fault =
          reference === undefined ? pureFault(type, fromBase64(input.Pure.bytes)) : 'a plain value is no object';
        if (fault !== null) throw new Error(`${where}: expected ${parameter}: ${fault}`);
        return;
      }
      if (
        input.$kind === 'Object' &&
        input.Object.$kind === 'SharedObject' &&
        reference !== '&' &&
        !input.Object.SharedObject.mutable
      ) {
        throw new Error(`${where}: the object is not taken for writing`);
      }
    }
    const found = this.#typeOf(argument);
    if (found !== type) throw new Error(`${where}: expected ${parameter}, found ${found}`);
    const value = this.#valueOf(argument);
    if (value === null) return;
    if (value.spent) throw new Error(`${where}: the value was given away before`);
    value.used = true;
    value.spent = reference === undefined;
  }

  #typeOf(argument: Argument): string {
    if (argument.$kind === 'GasCoin') return '0x2::coin::Coin<0x2::sui::SUI>';
    const value = this.#valueOf(argument);
    if (value !== null) return value.type;
    const input = argument.$kind === 'Input' ? this.data.inputs[argument.Input]! : null;
    if (input?.$kind !== 'Object') return 'a plain value';
    const id = input.Object.SharedObject?.objectId ?? input.Object.ImmOrOwnedObject?.objectId ?? '';
    return this.against.typeOf(normalizeSuiAddress(id)) ?? `an unknown object ${id}`;
  }

  #valueOf(argument: Argument): Value | null {
    const [command, result] =
      argument.$kind === 'Result'
        ? [argument.Result, 0]
        : argument.$kind === 'NestedResult'
          ? argument.NestedResult
          : [];
    if (command === undefined || result === undefined) return null;
    const value = this.#results[command]?.[result];
    if (value === undefined) throw new Error(`there is no result ${result} of command ${command}`);
    return value;
  }
}

/** With a short address: `0x2::coin::zero`. */
export const shortTarget = (call: { readonly package: string; readonly module: string; readonly function: string }) =>
  `0x${BigInt(call.package).toString(16)}::${call.module}::${call.function}`;

/** A type with short addresses, as compiled modules name the framework's: `0x2::sui::SUI`. */
export const canonical = (type: string): string =>
  (type.includes('::') ? normalizeStructTag(type) : type).replaceAll(/0x0*([0-9a-f]+)/g, '0x$1');
