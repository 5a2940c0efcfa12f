import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@usufruct/protocol';
import { PURPOSE, type Founded } from '../../support/players.ts';

/** The API's projection follows the chain, on a busy machine a moment later: a job can be quoted when it has. */
export async function untilUsable({ founder, dataset }: Founded, contributions: number): Promise<void> {
  const terms = { datasetId: dataset.id, purpose: PURPOSE, maxQuestions: 1, termMs: LIMITS.sessionTermMs };
  for (const deadline = Date.now() + 120_000; ; await sleep(200)) {
    const usable = await founder.client.jobs.quote(terms).then(
      ({ usableContributions }) => usableContributions,
      () => 0,
    );
    if (usable === contributions) return;
    if (Date.now() > deadline) throw new Error('the API does not see what was contributed');
  }
}
