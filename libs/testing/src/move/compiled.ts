import { deserialize } from '@mysten/move-bytecode-template';
import { refuse } from '@usufruct/kernel';

/** What a compiled Move package says of itself: the judge of the adapter's layouts and transactions in tests. */
export interface CompiledFunction {
  readonly visibility: 'Public' | 'Private' | 'Friend';
  readonly isEntry: boolean;
  /** Types as `move-types.ts` writes them; references begin with `&` or `&mut `. */
  readonly parameters: readonly string[];
  readonly returns: readonly string[];
  readonly typeParameters: number;
}
export interface CompiledPackage {
  readonly functions: ReadonlyMap<string, CompiledFunction>;
  readonly structs: ReadonlyMap<string, readonly (readonly [name: string, type: string])[]>;
}

type Token =
  | string
  | { Datatype: number }
  | { DatatypeInstantiation: [number, Token[]] }
  | { Vector: Token }
  | { Reference: Token }
  | { MutableReference: Token }
  | { TypeParameter: number };
interface CompiledModule {
  readonly self_module_handle_idx: number;
  readonly module_handles: readonly { address: number; name: number }[];
  readonly datatype_handles: readonly { module: number; name: number; type_parameters: readonly unknown[] }[];
  readonly function_handles: readonly {
    module: number;
    name: number;
    parameters: number;
    return_: number;
    type_parameters: readonly unknown[];
  }[];
  readonly signatures: readonly (readonly Token[])[];
  readonly identifiers: readonly string[];
  readonly address_identifiers: readonly string[];
  readonly struct_defs: readonly {
    struct_handle: number;
    field_information: { Declared: readonly { name: number; signature: Token }[] } | 'Native';
  }[];
  readonly function_defs: readonly {
    function: number;
    visibility: CompiledFunction['visibility'];
    is_entry: boolean;
  }[];
}

/** Reads the modules of a package, base64 each. */
export function readCompiled(modules: readonly string[]): CompiledPackage {
  const functions = new Map<string, CompiledFunction>();
  const structs = new Map<string, [string, string][]>();
  for (const bytes of modules) readModule(Buffer.from(bytes, 'base64'), functions, structs);
  return { functions, structs };
}

function readModule(
  bytes: Uint8Array,
  functions: Map<string, CompiledFunction>,
  structs: Map<string, [string, string][]>,
): void {
  const module = deserialize(bytes) as CompiledModule;
  const name = (index: number): string => module.identifiers[index]!;
  const own = name(module.module_handles[module.self_module_handle_idx]!.name);
  const types = (index: number): string[] => module.signatures[index]!.map((token) => render(module, token));
  for (const { function: handleIndex, visibility, is_entry: isEntry } of module.function_defs) {
    const handle = module.function_handles[handleIndex]!;
    functions.set(`${own}::${name(handle.name)}`, {
      visibility,
      isEntry,
      parameters: types(handle.parameters),
      returns: types(handle.return_),
      typeParameters: handle.type_parameters.length,
    });
  }
  for (const { struct_handle: handleIndex, field_information: fields } of module.struct_defs) {
    const handle = module.datatype_handles[handleIndex]!;
    if (fields === 'Native') continue;
    const parameters = handle.type_parameters.map((_, index) => `T${index}`).join(', ');
    structs.set(
      `${own}::${name(handle.name)}${parameters === '' ? '' : `<${parameters}>`}`,
      fields.Declared.map((field) => [name(field.name), render(module, field.signature)]),
    );
  }
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  Bool: 'bool',
  U8: 'u8',
  U16: 'u16',
  U32: 'u32',
  U64: 'u64',
  U128: 'u128',
  U256: 'u256',
  Address: 'address',
};

function render(module: CompiledModule, token: Token): string {
  if (typeof token === 'string') return PRIMITIVES[token] ?? unreadable(token);
  if ('Vector' in token) return `vector<${render(module, token.Vector)}>`;
  if ('Reference' in token) return `&${render(module, token.Reference)}`;
  if ('MutableReference' in token) return `&mut ${render(module, token.MutableReference)}`;
  if ('TypeParameter' in token) return `T${token.TypeParameter}`;
  if ('Datatype' in token) return datatype(module, token.Datatype);
  const [handle, args] = token.DatatypeInstantiation;
  return `${datatype(module, handle)}<${args.map((arg) => render(module, arg)).join(', ')}>`;
}

/** Our own modules are named without an address: at compile time it is zero. */
function datatype(module: CompiledModule, index: number): string {
  const { module: moduleIndex, name } = module.datatype_handles[index]!;
  const owner = module.module_handles[moduleIndex]!;
  const address = BigInt(`0x${module.address_identifiers[owner.address]!}`);
  const prefix = address === 0n ? '' : `0x${address.toString(16)}::`;
  return `${prefix}${module.identifiers[owner.name]!}::${module.identifiers[name]!}`;
}

const unreadable = (token: string): never => {
  throw refuse('INTERNAL', { reason: `a Move type that is not known here: ${token}` });
};
