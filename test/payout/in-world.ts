import { afterEach, beforeEach } from '@jest/globals';
import type { Chain } from '@usufruct/chain';
import { refuse, UsufructError } from '@usufruct/kernel';
import type { RunnerContext } from '../../apps/enclave-runner/src/context.js';
import type { HolderPort } from '../../apps/enclave-runner/src/keys/holder-port.js';
import { PayoutWorld } from '../support/payout-world.js';

/** The holders that are there, all of them. */
export const ALL = [0, 1, 2];
/** Weights of the uses of a question: 2 and 1 to Ada and Ben; 1 and 3 to Ben and Cleo. */
export const FIRST = [2n, 1n, null];
export const SECOND = [null, 1n, 3n];

/** Of the test that runs. */
export let world: PayoutWorld;
/** Closed after the test. */
export const stores = new Set<{ close(): void }>();

/** A world with these holders for each test of the file that calls this. */
export function useWorld(holders?: readonly number[]): void {
  beforeEach(async () => {
    world = await PayoutWorld.start(holders);
  });
  afterEach(async () => {
    for (const store of stores) store.close();
    stores.clear();
    await world.close();
  });
}

/** In place of the world that the test was given: one with other holders when the keys are released. */
export async function startAgain(holders: readonly number[]): Promise<void> {
  await world.close();
  world = await PayoutWorld.start(holders);
}

export const storedOpenings = (n: number): number =>
  (world.holders[n]!.holder.database.prepare('SELECT count(*) AS n FROM openings').get() as { n: number }).n;
/** The chain, but what sending a prepared transaction does is up to the test. */
export const chainThatSends = (send: (really: Chain['send']) => Chain['send']): Chain => chainWith('send', send);
/** The chain, with one question or deed of which the test says what becomes of it. */
export const chainWith = <K extends 'send' | 'prepare' | 'job' | 'events'>(
  method: K,
  change: (really: Chain[K]) => Chain[K],
): Chain => {
  const chain = world.chainClient();
  return new Proxy(chain, {
    get: (target, name) => {
      const really: unknown = Reflect.get(target, name);
      if (name === method) return change(chain[method].bind(chain) as Chain[K]);
      return typeof really === 'function' ? (really.bind(target) as unknown) : really;
    },
  });
};
export const unsent: Chain['send'] = () => Promise.reject(refuse('CHAIN_UNAVAILABLE'));
/** Holders of which some say something else. */
export const holdersWith = (context: RunnerContext, n: number, changes: Partial<HolderPort>): readonly HolderPort[] =>
  context.holders.map((holder, i) => (i === n ? { ...holder, ...changes } : holder));

/** `ok`, or the code and what the refusal names. */
export const refusalOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'ok';
  } catch (error) {
    if (!(error instanceof UsufructError)) throw error;
    const { check, checks, field, state } = error.details;
    return [error.code, check ?? checks ?? field ?? state ?? []].flat().join(' ');
  }
};
