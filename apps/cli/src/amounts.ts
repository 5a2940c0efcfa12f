import { asAmount, refuse, type AmountUnits } from '@usufruct/kernel';
import type { ChainInfo } from '@usufruct/protocol';

type Coin = ChainInfo['coin'];

/** `2.5` with six decimals is 2500000 units. By text, so that no digit is lost; refuses more decimals than the coin has. */
export function parseCoins(text: string, { decimals }: Coin, field: string): AmountUnits {
  const [, whole, fraction = ''] = /^(0|[1-9][0-9]{0,19})(?:\.([0-9]{1,18}))?$/.exec(text) ?? [];
  if (whole === undefined || fraction.length > decimals) {
    throw refuse('INVALID_ARGUMENT', { field, expected: `an amount with at most ${decimals} decimals, as 2.5` });
  }
  return asAmount(BigInt(whole + fraction.padEnd(decimals, '0')), field);
}

export function formatCoins(units: bigint, { decimals, symbol }: Coin): string {
  const digits = units.toString().padStart(decimals + 1, '0');
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  const whole = digits.slice(0, digits.length - decimals);
  return `${whole}${fraction === '' ? '' : `.${fraction}`} ${symbol}`;
}
