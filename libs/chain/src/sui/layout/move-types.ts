import { bcs, type BcsType } from '@mysten/bcs';
import type { Hex32 } from '@usufruct/kernel';
import { byteVector, bytes32, u64, u64Number } from '@usufruct/protocol';

/**
 * How a Move type is read here, beside what Move calls it: a test compares every name, order and type below with the
 * compiled package, so that a changed contract fails a test and is not read wrongly.
 */
export interface MoveType<T> {
  /** As Move writes it: `u64`, `vector<address>`, `policy::Policy`, `0x2::object::UID`; type parameters are `T0`, `T1`. */
  readonly move: string;
  readonly bcs: BcsType<T, T>;
}
export type ValueOf<M> = M extends MoveType<infer T> ? T : never;

/** `@mysten/bcs` lets lists and structs be written from wider types than they are read as; here both are one. */
export const retyped = <T>(schema: object): BcsType<T, T> => schema as BcsType<T, T>;

const type = <T>(move: string, schema: BcsType<T, T>): MoveType<T> => ({ move, bcs: schema });

export const u8 = type('u8', bcs.u8());
export const u16 = type('u16', bcs.u16());
export const u32 = type('u32', bcs.u32());
export const bool = type('bool', bcs.bool());
export const string = type('0x1::string::String', bcs.string());
/** `std::ascii::String` serialises as a string does. */
export const ascii = type('0x1::ascii::String', bcs.string());
export const bytes = type('vector<u8>', byteVector());
export const amount = <T extends bigint = bigint>(): MoveType<T> => type('u64', u64<T>());
/** u64 that are times and counts, which stay within what a number holds exactly. */
export const count = <T extends number = number>(): MoveType<T> => type('u64', u64Number<T>());
export const u128 = type(
  'u128',
  bcs.u128().transform<bigint, bigint>({ input: (value) => value, output: (text) => BigInt(text) }),
);
export const u256 = type(
  'u256',
  bcs.u256().transform<bigint, bigint>({ input: (value) => value, output: (text) => BigInt(text) }),
);
/** 32 bytes: our ids and digests, and accounts. */
export const address = <T extends Hex32 = Hex32>(): MoveType<T> => type('address', bytes32<T>());
/** The id under which Sui knows an object. */
export const objectId = type('0x2::object::ID', bytes32());
export const uid = type('0x2::object::UID', bytes32());

export const vector = <T>(member: MoveType<T>): MoveType<T[]> =>
  type(`vector<${member.move}>`, retyped<T[]>(bcs.vector(member.bcs)));
export const option = <T>(member: MoveType<T>): MoveType<T | null> =>
  type(`0x1::option::Option<${member.move}>`, retyped<T | null>(bcs.option(member.bcs)));

/** A type whose serialisation the protocol library has already, under another name. */
export const same = <T>(move: string, schema: BcsType<T, T>): MoveType<T> => type(move, schema);

/** `sui::table::Table`: its entries are dynamic fields of its id. */
export const table = (key: string, value: string) =>
  type(
    `0x2::table::Table<${key}, ${value}>`,
    retyped<TableHandle>(bcs.struct('Table', { id: bytes32(), size: u64Number() })),
  );
export interface TableHandle {
  readonly id: Hex32;
  readonly size: number;
}

export interface MoveStruct<T> extends MoveType<T> {
  readonly fields: readonly (readonly [name: string, move: string])[];
}
/** A field whose value's type has been set aside: the caller's parameter keeps it. */
type AnyField = MoveType<object>;

/** A struct of our package: `move` is `module::Name`, with its type parameters where it has any. */
export function struct<V extends object>(
  move: string,
  fields: { readonly [K in keyof V]: MoveType<V[K]> },
): MoveStruct<V> {
  const entries = Object.entries(fields as object as Record<string, AnyField>);
  const schema = bcs.struct(move, Object.fromEntries(entries.map(([name, field]) => [name, field.bcs])));
  return {
    move,
    bcs: retyped<V>(schema),
    fields: entries.map(([name, field]) => [name, field.move]),
  };
}

/** Bytes of exactly this type. Throws on any other; the caller says whose they are. */
export function readMove<T>(layout: MoveType<T>, bytesOf: Uint8Array): T {
  const value = layout.bcs.parse(bytesOf);
  const size = layout.bcs.serialize(value).toBytes().length;
  if (size !== bytesOf.length) throw new Error(`${layout.move}: ${bytesOf.length} bytes, ${size} read`);
  return value;
}
