import { bcs, type BcsType } from '@mysten/bcs';
import type { Transaction, TransactionArgument, TransactionObjectArgument } from '@mysten/sui/transactions';
import {
  refuse,
  type Address,
  type AmountUnits,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type EpochId,
  type Hex32,
  type HolderSetId,
  type ProposalId,
} from '@usufruct/kernel';
import {
  bytes32,
  byteVector,
  type ChainActionKind,
  type ChainActionPayloads,
  type ProposalEffect,
} from '@usufruct/protocol';
import type { EventIndex } from '../events/event-index.js';
import type { SuiSettings } from '../settings.js';

/** What one transaction is built with. */
export interface Building {
  readonly tx: Transaction;
  readonly settings: SuiSettings;
  readonly sender: Address;
  readonly index: EventIndex;
  /** Contributions that earlier actions of this transaction register: the chain does not know them yet. */
  readonly registered: Map<ContributionId, DatasetId>;
  /** A coin of exactly this value out of the sender's, made when the transaction is resolved. */
  readonly coin: (amountUnits: AmountUnits) => TransactionObjectArgument;
  /** The holder set that the DAO's policy names now. */
  readonly holderSetOf: (daoId: DaoId) => Promise<HolderSetId>;
  readonly holderSetOfEpoch: (epochId: EpochId) => Promise<HolderSetId>;
  readonly effectOf: (proposalId: ProposalId) => Promise<ProposalEffect>;
  /** The DAO's PauseCap, if the sender owns it. Refuses `FORBIDDEN` otherwise. */
  readonly pauseCapOf: (daoId: DaoId) => Promise<Hex32>;
}

/** What a call of a function and its plain arguments are made with. */
export type Calling = Pick<Building, 'tx' | 'settings'>;

export type Builder<K extends ChainActionKind> = (
  building: Building,
  action: ChainActionPayloads[K],
) => Promise<void> | void;

/** The shared clock of every Sui network. */
export const CLOCK = '0x6';

export function call(
  { tx, settings }: Calling,
  target: `${string}::${string}`,
  args: TransactionArgument[],
  typeArguments: string[] = [],
) {
  const [module, name] = target.split('::') as [string, string];
  return tx.moveCall({ package: settings.callPackageId, module, function: name, arguments: args, typeArguments });
}

/** Plain values, serialised here and not by what a node says of the function: a wrong type must not pass unseen. */
export const pure = ({ tx }: Pick<Calling, 'tx'>) => ({
  u8: (value: number) => tx.pure.u8(value),
  u16: (value: number) => tx.pure.u16(value),
  u32: (value: number) => tx.pure.u32(value),
  u64: (value: bigint | number) => tx.pure.u64(value),
  bool: (value: boolean) => tx.pure.bool(value),
  address: (value: Hex32) => tx.pure.address(value),
  string: (value: string) => tx.pure.string(value),
  bytes: (value: Uint8Array) => tx.pure(byteVector().serialize(value)),
  addresses: (values: readonly Hex32[]) => tx.pure(bcs.vector(bytes32()).serialize([...values])),
  strings: (values: readonly string[]) => tx.pure(bcs.vector(bcs.string()).serialize([...values])),
  u8s: (values: readonly number[]) => tx.pure(bcs.vector(bcs.u8()).serialize([...values])),
  u32s: (values: readonly number[]) => tx.pure(bcs.vector(bcs.u32()).serialize([...values])),
  u64s: (values: readonly (bigint | number)[]) => tx.pure(bcs.vector(bcs.u64()).serialize([...values])),
  byteLists: (values: readonly Uint8Array[]) => tx.pure(bcs.vector(byteVector()).serialize([...values])),
});

/** Sui's limit for one plain value, less what its length takes. */
const PURE_AT_MOST_BYTES = 16 * 1024 - 16;

/** A list that may be longer than one plain value can be: made of several, joined by the chain. */
export function longList<T>(
  { tx }: Building,
  type: string,
  member: BcsType<T, T>,
  values: readonly T[],
  memberBytes: number,
): TransactionArgument {
  const most = Math.floor(PURE_AT_MOST_BYTES / memberBytes);
  if (values.length <= most) return tx.pure(bcs.vector(member).serialize([...values]));
  const vector = { package: '0x1', module: 'vector', typeArguments: [type] };
  const list = tx.moveCall({ ...vector, function: 'empty' });
  for (let from = 0; from < values.length; from += most) {
    const piece = tx.pure(bcs.vector(member).serialize(values.slice(from, from + most)));
    tx.moveCall({ ...vector, function: 'append', arguments: [list, piece] });
  }
  return list;
}

/** The code of a name, as the contracts write it. */
export function codeOf<T>(names: readonly T[], name: T, field: string): number {
  const code = names.indexOf(name);
  if (code < 0) throw refuse('INVALID_ARGUMENT', { field });
  return code;
}

/** What signed bytes say; the chain judges them. Refuses `INVALID_ARGUMENT` for bytes that say nothing. */
export function readSigned<T>(schema: Pick<BcsType<T>, 'parse'>, bytes: Uint8Array, field: string): T {
  try {
    return schema.parse(bytes);
  } catch (cause) {
    throw refuse('INVALID_ARGUMENT', { field, expected: 'a canonical serialisation' }, cause);
  }
}
