import { decimalOf, parseDecimal, type AmountUnits } from '@usufruct/kernel';

export interface Coin {
  readonly symbol: string;
  readonly decimals: number;
}

/** Exact: `1500000` at six decimals is `1.50 USDC`. At least two decimals where the coin has them, no rounding ever. */
export function formatAmount(units: bigint, coin: Coin): string {
  const [whole = '', fraction = ''] = decimalOf(units, coin).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, '\u202f');
  const shown = fraction.padEnd(Math.min(2, coin.decimals), '0');
  return `${grouped}${shown === '' ? '' : `.${shown}`} ${coin.symbol}`;
}

/** As people type it: spaces around it, a comma for the point and zeros before it do not count. */
export const parseAmountInput = (text: string, coin: Coin, field: string): AmountUnits =>
  parseDecimal(
    text
      .trim()
      .replace(',', '.')
      .replace(/^0+(?=[0-9])/, ''),
    coin,
    field,
  );

/** The same for an input's value: no symbol, no grouping. */
export const amountInputText = decimalOf;

export const shortId = (id: string): string => (id.length <= 16 ? id : `${id.slice(0, 8)}…${id.slice(-6)}`);

export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} B`;
  const units = ['KiB', 'MiB', 'GiB'];
  const power = Math.min(Math.floor(Math.log2(sizeBytes) / 10), units.length);
  return `${(sizeBytes / 1024 ** power).toFixed(1)} ${units[power - 1] ?? 'B'}`;
}

const when = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
export const formatTime = (atMs: number): string => when.format(atMs);

/** `1 grant`, `2 grants`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
