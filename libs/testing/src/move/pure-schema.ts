import { bcs, type BcsType } from '@mysten/bcs';
import { equalBytes } from '@usufruct/kernel';

/** Enough of a BCS type to see whether bytes are one value of it. */
interface Schema {
  parse(bytes: Uint8Array): unknown;
  serialize(value: never): { toBytes(): Uint8Array };
}

const PRIMITIVES: Readonly<Record<string, Schema>> = {
  bool: bcs.bool(),
  u8: bcs.u8(),
  u16: bcs.u16(),
  u32: bcs.u32(),
  u64: bcs.u64(),
  u128: bcs.u128(),
  u256: bcs.u256(),
  address: bcs.bytes(32),
  '0x1::string::String': bcs.string(),
  '0x1::ascii::String': bcs.string(),
  '0x2::object::ID': bcs.bytes(32),
};
const LIST = /^(vector|0x1::option::Option)<(.+)>$/;

function schemaOf(type: string): Schema | null {
  const primitive = PRIMITIVES[type];
  if (primitive !== undefined) return primitive;
  const [, container, inner] = LIST.exec(type) ?? [];
  const member = inner === undefined ? null : schemaOf(inner);
  if (member === null) return null;
  const memberBcs = member as object as BcsType<unknown>;
  return container === 'vector' ? bcs.vector(memberBcs) : bcs.option(memberBcs);
}

/** What is wrong with bytes that are given as a plain value of a Move type; null when they are exactly one. */
export function pureFault(type: string, bytes: Uint8Array): string | null {
  const schema = schemaOf(type);
  if (schema === null) return `${type} cannot be a plain value`;
  try {
    const again = schema.serialize(schema.parse(bytes) as never).toBytes();
    return equalBytes(again, bytes) ? null : `the bytes are not exactly one ${type}`;
  } catch {
    return `the bytes are no ${type}`;
  }
}
