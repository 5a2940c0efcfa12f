import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { jsonLogger, systemRandom } from '@usufruct/kernel';
import { startLocalChain, type RunningChain } from '../../../local-chain/src/start.js';
import type { RunnerContext } from '../context.js';
import { Life } from './life.js';
import { TestClock } from './values.js';
import { World, type Contributed } from './world.js';

/**
 * A runner with a data directory of its own for every test, over one real local chain with three contributions for the
 * tests of a file, which calls `useRunner`.
 */

export const PHRASE = 'seventeen amber lanterns';
const TEXTS = {
  hives: ['hives.md', `# Winter\nColonies need 20 kg of stores to survive the winter. Near the hive hang ${PHRASE}.\n`],
  prices: ['prices.csv', 'Product,Price\nHeather honey,24.50\nBeeswax,18.00\n'],
  pottery: ['pottery.txt', 'Stoneware clay matures at 1280 degrees in the kiln.\n'],
} as const;
export const TWO_PLACES = 'How much stores do colonies need in winter, and what is the price of heather honey?';

/** Of this file's tests; what is in it is gone after them. */
export let directory: string;
let chainProcess: RunningChain;
export let world: World;
export let hives: Contributed;
export let prices: Contributed;
export let pottery: Contributed;
/** The one that lives, and where it keeps what it keeps. */
export let life: Life;
export let dataDir: string;
let lives = 0;

/** The next life on the same disk. */
export async function restart(changes: Partial<RunnerContext> = {}): Promise<void> {
  life.end();
  life = await Life.begin(world, dataDir, changes);
}

export function useRunner(): void {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'runner-'));
    const logger = jsonLogger('chain', new TestClock(), () => undefined);
    chainProcess = await startLocalChain({
      host: '127.0.0.1',
      port: 0,
      allowedOrigins: [],
      logger,
      dataDir: join(directory, 'chain'),
      clock: new TestClock(),
      random: systemRandom,
    });
    world = await World.create(chainProcess.url);
    hives = await world.contribute(...TEXTS.hives);
    prices = await world.contribute(...TEXTS.prices);
    pottery = await world.contribute(...TEXTS.pottery);
  });
  afterAll(async () => {
    await chainProcess.close();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(async () => {
    dataDir = join(directory, `life-${lives++}`);
    life = await Life.begin(world, dataDir);
  });
  afterEach(() => {
    life.end();
    for (const holder of world.holders) holder.misbehaviour = null;
  });
}
