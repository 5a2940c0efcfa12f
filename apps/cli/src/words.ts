import { UsufructError } from '@usufruct/kernel';
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

/** What people said, which only the API has: a remark where it does not answer, as everything else is on the chain. */
export async function saidBy<K, V>(runtime: Runtime, words: Promise<ReadonlyMap<K, V>>): Promise<ReadonlyMap<K, V>> {
  try {
    return await words;
  } catch (error) {
    if (!(error instanceof UsufructError)) throw error;
    runtime.terminal.remark(`without what people wrote: ${error.message}`);
    return new Map();
  }
}

/** Without the key that the command chose, a repetition of what failed halfway would begin anew. */
export async function underKey<T>(runtime: Runtime, key: string, act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    runtime.terminal.remark(`to go on with this one, repeat the command with --key ${key}`);
    throw error;
  }
}

/** What somebody else wrote, in one line: it must neither steer the terminal nor look like lines of ours. */
export const quoted = (text: string): string => `“${text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim()}”`;
