import type { Words } from '@usufruct/sdk';
import type { ChainInfo } from '@usufruct/protocol';
import { formatCoins } from './amounts.js';
import type { Runtime } from './runtime.js';

export const timeOf = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** Ids in full: on a command line they are copied. */
export const wordsIn = (coin: ChainInfo['coin']): Words => ({
  amount: (units) => formatCoins(units, coin),
  time: timeOf,
  id: (id) => id,
});
export const wordsOf = async (runtime: Runtime): Promise<Words> => wordsIn(await runtime.coin());

export const orNone = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? ['none yet'] : lines);
