import { asTimestampMs, isHex32, parseAmount, refuse, U64_MAX, type UsufructError } from '@usufruct/kernel';
import { zBase64, LIMITS } from '@usufruct/protocol';
import { GraphQLScalarType, Kind, type ValueNode } from 'graphql';

interface ScalarPlan<T> {
  readonly name: string;
  readonly description: string;
  /** From a client: throws `INVALID_ARGUMENT`, which names what was expected and never the value. */
  readonly parse: (value: unknown) => T;
  readonly serialize: (value: unknown) => string | number;
}

const scalar = <T>({ name, description, parse, serialize }: ScalarPlan<T>): GraphQLScalarType<T, string | number> =>
  new GraphQLScalarType<T, string | number>({
    name,
    description,
    serialize,
    parseValue: parse,
    parseLiteral: (node: ValueNode) => parse(literalOf(node, name)),
  });

function literalOf(node: ValueNode, name: string): unknown {
  if (node.kind === Kind.STRING) return node.value;
  if (node.kind === Kind.INT) return Number(node.value);
  throw notA(name);
}

const notA = (expected: string): UsufructError => refuse('INVALID_ARGUMENT', { expected });
const text = (value: unknown, name: string): string => {
  if (typeof value !== 'string') throw notA(name);
  return value;
};
const decimalOf = (value: unknown): string => {
  if (typeof value !== 'bigint' || value < 0n || value > U64_MAX) throw new Error('not a u64');
  return value.toString();
};
const hexOf = (value: unknown): string => {
  if (!isHex32(value)) throw new Error('not 32 bytes of hex');
  return value;
};
const safeIntOf = (value: unknown): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw notA('SafeInt');
  return value;
};

export const Amount = scalar({
  name: 'Amount',
  description: 'Money in the smallest units of the escrow coin: a decimal string, 0 to 2^64-1.',
  parse: (value) => parseAmount(text(value, 'Amount')),
  serialize: decimalOf,
});
export const U64 = scalar({
  name: 'U64',
  description: 'A decimal string, 0 to 2^64-1, that is not money: weights and privacy budgets.',
  parse: (value): bigint => parseAmount(text(value, 'U64')),
  serialize: decimalOf,
});
export const Hex32Scalar = scalar({
  name: 'Hex32',
  description: 'A 32-byte id, address or digest: 0x and 64 lower-case hex digits.',
  parse: (value) => {
    if (!isHex32(value)) throw notA('0x and 64 lower-case hex digits');
    return value;
  },
  serialize: hexOf,
});
const base64 = zBase64(LIMITS.sealedAnswerBytes);
export const Base64 = scalar({
  name: 'Base64',
  description: 'Bytes in standard base64 with padding.',
  parse: (value) => {
    const parsed = base64.safeParse(value);
    if (!parsed.success) throw notA('base64');
    return parsed.data;
  },
  serialize: (value) => text(value, 'Base64'),
});
export const TimestampMsScalar = scalar({
  name: 'TimestampMs',
  description: 'Integer milliseconds since 1970, as a JSON number.',
  parse: (value) => asTimestampMs(safeIntOf(value)),
  serialize: safeIntOf,
});
export const SafeInt = scalar({
  name: 'SafeInt',
  description:
    'An integer from 0 to 2^53-1, as a JSON number: sizes, durations in milliseconds, positions in the event stream.',
  parse: safeIntOf,
  serialize: safeIntOf,
});
