import type { Brand } from './brand.js';
import { refuse } from './errors.js';

/** Money: a count of the smallest units of the escrow coin (for USDC, 10⁻⁶). Never a float, never a number. */
export type AmountUnits = Brand<bigint, 'AmountUnits'>;
/** Parts of ten thousand. */
export type BasisPoints = Brand<number, 'BasisPoints'>;
/** Milliseconds since the Unix epoch. */
export type TimestampMs = Brand<number, 'TimestampMs'>;
/** A relative weight of use; only ratios between weights of one receipt mean anything. */
export type Weight = Brand<bigint, 'Weight'>;

export const U64_MAX = 18_446_744_073_709_551_615n;
export const BASIS_POINTS_WHOLE = 10_000;

/** 9999-12-31: anything later is a unit mistake (microseconds, nanoseconds). */
const LATEST_MS = 253_402_300_799_999;

function asU64(value: bigint, field: string): bigint {
  if (typeof value !== 'bigint' || value < 0n || value > U64_MAX) {
    throw refuse('INVALID_ARGUMENT', { field, expected: 'an integer from 0 to 2^64-1' });
  }
  return value;
}

export const asAmount = (value: bigint, field = 'amountUnits'): AmountUnits => asU64(value, field) as AmountUnits;
export const asWeight = (value: bigint, field = 'weight'): Weight => asU64(value, field) as Weight;
export const ZERO_UNITS = 0n as AmountUnits;

/** Read an amount from its wire form: a decimal string without sign, leading zeros, point or exponent. */
export function parseAmount(text: string, field = 'amountUnits'): AmountUnits {
  if (!/^(0|[1-9][0-9]{0,19})$/.test(text)) {
    throw refuse('INVALID_ARGUMENT', { field, expected: 'a decimal integer string' });
  }
  return asAmount(BigInt(text), field);
}

/** What units are counted in: so many decimals make a whole coin. */
interface Decimals {
  readonly decimals: number;
}

/** An exact decimal of whole coins, without trailing zeros: 2500000 units of 6 decimals are `2.5`. */
export function decimalOf(units: bigint, { decimals }: Decimals): string {
  const digits = units.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** The units of a decimal of whole coins, by text, so that no digit is lost. Refuses more decimals than the coin has. */
export function parseDecimal(text: string, { decimals }: Decimals, field = 'amountUnits'): AmountUnits {
  const [, whole, fraction = ''] = /^(0|[1-9][0-9]{0,19})(?:\.([0-9]{1,18}))?$/.exec(text) ?? [];
  if (whole === undefined || fraction.length > decimals) {
    throw refuse('INVALID_ARGUMENT', { field, expected: `an amount with at most ${decimals} decimals, as 2.5` });
  }
  return asAmount(BigInt(whole + fraction.padEnd(decimals, '0')), field);
}

export function asBasisPoints(value: number, field = 'basisPoints'): BasisPoints {
  if (!Number.isInteger(value) || value < 0 || value > BASIS_POINTS_WHOLE) {
    throw refuse('INVALID_ARGUMENT', { field, expected: 'an integer from 0 to 10000' });
  }
  return value as BasisPoints;
}

export function asTimestampMs(value: number, field = 'timestampMs'): TimestampMs {
  if (!Number.isSafeInteger(value) || value < 0 || value > LATEST_MS) {
    throw refuse('INVALID_ARGUMENT', { field, expected: 'integer milliseconds since 1970' });
  }
  return value as TimestampMs;
}

export function sumUnits(parts: readonly AmountUnits[]): AmountUnits {
  return asAmount(
    parts.reduce<bigint>((total, part) => total + part, 0n),
    'sum',
  );
}
