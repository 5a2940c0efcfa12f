import {
  asAmount,
  asId,
  asTimestampMs,
  asWeight,
  isHex32,
  UsufructError,
  refuse,
  type AmountUnits,
  type Hex32,
  type TimestampMs,
  type Weight,
} from '@usufruct/kernel';
import { z } from 'zod';

/**
 * zod pieces shared by every boundary: `unknown` is parsed once here and is a branded type afterwards. On the wire
 * bigints are decimal strings (`toWireJson` writes them), bytes are base64, ids are `0x` hex.
 */
export const zHex32 = <T extends Hex32 = Hex32>() =>
  z
    .string()
    .refine(isHex32, 'expected 0x and 64 lower-case hex digits')
    .transform((text) => asId<T>(text, 'id'));

const decimal = z.string().regex(/^(0|[1-9][0-9]{0,19})$/, 'expected a decimal integer string');
export const zU64 = decimal.transform((text) => BigInt(text)).refine((value) => value < 2n ** 64n, 'exceeds u64');
export const zAmount = zU64.transform((value): AmountUnits => asAmount(value));
export const zWeight = zU64.transform((value): Weight => asWeight(value));
export const zTimestampMs = z.number().transform((value, context): TimestampMs => {
  try {
    return asTimestampMs(value);
  } catch {
    context.addIssue('expected integer milliseconds since 1970');
    return z.NEVER;
  }
});

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** Base64 text of at most `maxBytes` decoded bytes, kept as text: decode with `fromBase64` where it is used. */
export const zBase64 = (maxBytes: number) =>
  z
    .string()
    .max(4 * Math.ceil(maxBytes / 3))
    .regex(BASE64, 'expected base64');

/** JSON with bigints as decimal strings. */
export const toWireJson = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? member.toString() : member));

/** Parse at a boundary: `INVALID_ARGUMENT` names the first bad field and what was expected, never its value. */
export function parseAt<S extends z.ZodType>(schema: S, value: unknown, boundary: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw refuse('INVALID_ARGUMENT', {
    boundary,
    field: issue?.path.join('.') || '(whole)',
    expected: issue?.code ?? 'valid input',
  });
}

/** The same for answers of another process: what it sent is its fault, not the caller's. */
export function parseAnswer<S extends z.ZodType>(schema: S, value: unknown, upstream: string): z.output<S> {
  try {
    return parseAt(schema, value, upstream);
  } catch (error) {
    throw refuse(
      'UPSTREAM_INVALID',
      { upstream, field: error instanceof UsufructError ? (error.details['field'] ?? '') : '' },
      error,
    );
  }
}
