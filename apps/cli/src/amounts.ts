import { decimalOf, parseDecimal, type AmountUnits } from '@usufruct/kernel';
import type { ChainInfo } from '@usufruct/protocol';

type Coin = ChainInfo['coin'];

/** `2.5` with six decimals is 2500000 units. */
export const parseCoins = (text: string, coin: Coin, field: string): AmountUnits => parseDecimal(text, coin, field);

export const formatCoins = (units: bigint, coin: Coin): string => `${decimalOf(units, coin)} ${coin.symbol}`;
