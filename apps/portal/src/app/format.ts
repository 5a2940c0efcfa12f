import { asAmount, refuse, type AmountUnits } from '@usufruct/kernel';

export interface Coin {
  readonly symbol: string;
  readonly decimals: number;
}

/** Exact: `1500000` at six decimals is `1.50 USDC`. At least two decimals where the coin has them, no rounding ever. */
export function formatAmount(units: bigint, { symbol, decimals }: Coin): string {
  const digits = units.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, '\u202f');
  const fraction = digits.slice(digits.length - decimals);
  const shown = fraction.replace(/0+$/, '').padEnd(Math.min(2, decimals), '0');
  return `${whole}${shown === '' ? '' : `.${shown}`} ${symbol}`;
}

/** Exact, by string: `1.5` at six decimals is 1500000. Refuses what is no amount or finer than the coin. */
export function parseAmountInput(text: string, { decimals }: Coin, field: string): AmountUnits {
  const match = /^(\d{1,20})(?:[.,](\d+))?$/.exec(text.trim());
  const fraction = match?.[2] ?? '';
  if (match === null || fraction.length > decimals) {
    throw refuse('INVALID_ARGUMENT', { field, expected: `a number with at most ${decimals} decimals` });
  }
  return asAmount(BigInt(`${match[1]}${fraction.padEnd(decimals, '0')}`), field);
}

/** The same for an input's value: no symbol, no grouping. */
export function amountInputText(units: bigint, { decimals }: Coin): string {
  const digits = units.toString().padStart(decimals + 1, '0');
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  const whole = digits.slice(0, digits.length - decimals);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

export const shortId = (id: string): string => (id.length <= 16 ? id : `${id.slice(0, 8)}…${id.slice(-6)}`);

export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} B`;
  const units = ['KiB', 'MiB', 'GiB'];
  const power = Math.min(Math.floor(Math.log2(sizeBytes) / 10), units.length);
  return `${(sizeBytes / 1024 ** power).toFixed(1)} ${units[power - 1] ?? 'B'}`;
}

const when = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
export const formatTime = (atMs: number): string => when.format(atMs);
