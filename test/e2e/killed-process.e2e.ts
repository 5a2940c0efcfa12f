import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsufructError } from '@usufruct/kernel';
import type { RunningSystem } from '#local/system.js';
import type { PartName } from '#local/settings.js';
import { FRIDGE_LOG, HANDBOOK, QUESTION } from '../support/documents.js';
import {
  balanceOf,
  contributor,
  contributeText,
  found,
  fundedSession,
  newPlayer,
  PRICE_UNITS,
  type Contributor,
  type Founded,
} from '../support/players.js';
import { startTestSystem } from '../support/system.js';

/** How long a part stays dead: longer than a request, shorter than a client's patience. */
const DOWN_MS = 700;
const GIVE_UP_MS = 60_000;

/**
 * Any one process is killed (SIGKILL) in the middle of each stage, at a point that the client's own progress names.
 * After its restart the job must end once and be paid once, and nothing may be half-written.
 */
describe('a process is killed in the middle of the main job', () => {
  let system: RunningSystem;
  let dao: Founded;
  let fridge: Contributor;
  let handbook: Contributor;

  beforeAll(async () => {
    system = await startTestSystem();
    dao = await found(system.endpoints);
    fridge = await contributor(system.endpoints, dao, 'fridge.txt', FRIDGE_LOG);
    handbook = await contributor(system.endpoints, dao, 'handbook.md', HANDBOOK);
  }, 240_000);
  afterAll(() => system?.stop(), 120_000);

  const killAndRestart = async (victim: PartName): Promise<void> => {
    await system.kill(victim, 'SIGKILL');
    await sleep(DOWN_MS);
    await system.restart(victim);
  };
  /** Do it again as a user would, as long as the refusal says that later may work. */
  const untilDone = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (const endMs = Date.now() + GIVE_UP_MS; ;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof UsufructError) || error.entry.retry !== 'later' || Date.now() > endMs) throw error;
        await sleep(300);
      }
    }
  };

  it.each<[PartName, string]>([
    ['store', 'uploading'],
    ['holder-2', 'depositing'],
    ['chain', 'registering'],
    ['api', 'uploading'],
  ])(
    '%s, while a file is %s: one contribution, all shares',
    async (victim, step) => {
      const player = newPlayer(system.endpoints);
      let revival: Promise<void> | undefined;
      const source = async function* () {
        yield new TextEncoder().encode(HANDBOOK);
      };
      const contributed = await untilDone(() =>
        player.client.contributions.contribute({
          key: 'file',
          datasetId: dao.dataset.id,
          fileName: 'handbook.md',
          sizeBytes: HANDBOOK.length,
          source,
          onProgress: (progress) => void (progress.step === step && (revival ??= killAndRestart(victim))),
        }),
      );
      await revival;
      expect(revival).toBeDefined();
      const mine = (await player.client.chain.contributionsOf(dao.dataset.id)).filter(
        ({ owner }) => owner === player.signer.address,
      );
      expect(mine.map(({ id }) => id)).toEqual([contributed.contributionId]);
      // Nothing of the secret stays behind once the contribution is registered.
      expect((await player.journal.keys('contribute/')).map((key) => key.split('/').at(-1))).toEqual(['done']);
    },
    240_000,
  );

  // Milliseconds after the question was sent: on its way, at work, at settlement, on the way back.
  it.each<[PartName, number]>([
    ['api', 0],
    ['api', 15],
    ['api', 40],
    ['runner', 0],
    ['runner', 15],
    ['runner', 40],
    ['runner', 80],
    ['chain', 0],
    ['chain', 25],
    ['chain', 50],
    ['holder-1', 0],
    ['store', 0],
    ['postgres', 15],
  ])(
    '%s, %i ms after a question was sent: answered once, paid once',
    async (victim, delayMs) => {
      const before = await totals();
      const { player, session } = await untilDone(() => fundedSession(system.endpoints, dao.dataset.id, 2));
      let revival: Promise<void> | undefined;
      const killOnce = (): void => void (revival ??= sleep(delayMs).then(() => killAndRestart(victim)));
      const asked = await untilDone(() =>
        session.ask({ key: 'q', text: QUESTION }, { onStep: (step) => step === 'asking' && killOnce() }),
      );
      await revival;
      expect(revival).toBeDefined();
      expect(asked.verdict.ok).toBe(true);
      expect(new Set(asked.answer.citations.map(({ contributionId }) => contributionId))).toEqual(
        new Set([fridge.contributionId, handbook.contributionId]),
      );
      const job = await untilDone(() => session.onChain());
      expect([job.questionsSettled, job.escrowUnits]).toEqual([1, PRICE_UNITS]);
      await untilDone(() => session.close());
      expect(await balanceOf(player)).toBe(PRICE_UNITS);
      const after = await totals();
      // 70 % of 1,000,003 is 700,002.1; 15 % is 150,000.45 and takes the one unit that the floors leave.
      expect(after.contributors - before.contributors).toBe(700_002n);
      expect(after.treasury - before.treasury).toBe(150_001n);
      const { mismatches } = await untilDone(() => dao.founder.client.payouts.reconcile());
      expect(mismatches).toEqual([]);
    },
    240_000,
  );

  // Milliseconds after the job was funded: while the runner attests, gets its shares, and reads the documents.
  it.each<[PartName, number]>([
    ['runner', 10],
    ['runner', 60],
    ['holder-1', 0],
    ['holder-1', 30],
    ['store', 30],
    ['api', 10],
  ])(
    '%s, %i ms after a session was funded: it opens all the same, and is paid once',
    async (victim, delayMs) => {
      const { player, session } = await untilDone(() => fundedSession(system.endpoints, dao.dataset.id, 1));
      const revival = sleep(delayMs).then(() => killAndRestart(victim));
      const asked = await untilDone(() => session.ask({ key: 'q', text: QUESTION }));
      await revival;
      expect(asked.verdict.ok).toBe(true);
      const job = await untilDone(() => session.onChain());
      expect([job.state, job.questionsSettled, job.escrowUnits]).toEqual(['succeeded', 1, 0n]);
      expect(await balanceOf(player)).toBe(0n);
    },
    240_000,
  );

  it('everything, one after the other, between two questions of a session: it goes on', async () => {
    const { session } = await fundedSession(system.endpoints, dao.dataset.id, 2);
    await untilDone(() => session.ask({ key: 'before', text: QUESTION }));
    for (const victim of ['api', 'holder-3', 'chain', 'store', 'runner', 'postgres'] as const)
      await killAndRestart(victim);
    const asked = await untilDone(() => session.ask({ key: 'after', text: QUESTION }));
    expect(asked.verdict.ok).toBe(true);
    const job = await session.onChain();
    expect([job.state, job.questionsSettled, job.escrowUnits]).toEqual(['succeeded', 2, 0n]);
  }, 240_000);

  it('a killed client goes on with its contribution from its journal', async () => {
    const player = newPlayer(system.endpoints);
    const id = await contributeText(player, dao.dataset.id, 'fridge.txt', FRIDGE_LOG);
    expect(await contributeText(player, dao.dataset.id, 'fridge.txt', FRIDGE_LOG)).toBe(id);
  });

  async function totals(): Promise<{ contributors: bigint; treasury: bigint }> {
    const [a, b, treasury] = await Promise.all([
      balanceOf(fridge),
      balanceOf(handbook),
      dao.founder.client.chain.balanceOf(dao.dao.treasury),
    ]);
    return { contributors: a + b, treasury };
  }
});
