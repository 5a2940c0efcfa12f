import { setTimeout as sleep } from 'node:timers/promises';
import { sign } from '@usufruct/crypto';
import { refuse, toBase64 } from '@usufruct/kernel';
import {
  RunnerErasureBcs,
  TAGS,
  type ContributionView,
  type ErasureAnswer,
  type ErasureRequest,
} from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { forgetShown } from '../extraction/monitor.js';
import type { ErasedFiles, IndexStore } from '../index-store/index-store.js';
import type { Sessions } from '../session/sessions.js';

/** A session that is being opened holds documents until it has left them out; whoever asks waits so long for it. */
const STARTING_MS = 8_000;

/**
 * Drop a retired contribution from every session and sign, with the attested key, that it is gone: documents, passages
 * and index, and what askers were shown of it; and delete the dataset's indexes from the disk, which nobody opens again either way: the holders destroy
 * their shares of the keys. Copies that the host made of these files are such ciphertext. What is dropped is left to the garbage collector: nothing over-writes the strings in memory, which end with
 * the process or the guest. Answers that were given are in it no more than they were: sealed to whoever asked.
 *
 * Whether it is retired this runner reads from the chain; who asks does not matter. Refuses `NOT_FOUND`, `FORBIDDEN`
 * (not retired), `RUNNER_UNAVAILABLE` (a session of that dataset is still being opened), `CHAIN_UNAVAILABLE`.
 */
export async function eraseHere(
  context: Pick<RunnerContext, 'chain' | 'clock' | 'keys' | 'logger' | 'indexes' | 'store' | 'wallet'>,
  sessions: Pick<Sessions, 'holding'>,
  { contributionId }: ErasureRequest,
  startingMs = STARTING_MS,
): Promise<ErasureAnswer> {
  const { chain, clock, keys, logger, indexes } = context;
  const { datasetId, tombstonedAtMs } = await chain.contribution(contributionId);
  if (tombstonedAtMs === null) throw refuse('FORBIDDEN', { contributionId, reason: 'on the chain it is not retired' });
  const ofDataset = sessions.holding().filter(({ job }) => job.datasetId === datasetId);
  const had = ofDataset.filter((session) => session.contributionIds.has(contributionId)).length;
  const dropped = ofDataset.map((session) => session.drop([contributionId]));
  const late = sleep(startingMs, null, { ref: false });
  const started = Promise.allSettled([...dropped, ...ofDataset.map(({ ready }) => ready)]);
  if ((await Promise.race([started, late])) === null) {
    throw refuse('RUNNER_UNAVAILABLE', { reason: 'a session of this dataset is being opened' });
  }
  const erased = await Promise.race([eraseStored(indexes, { id: contributionId, datasetId }), late]);
  if (erased === null) throw refuse('RUNNER_UNAVAILABLE', { reason: 'an index is being written' });
  await forgetShown(context, contributionId);
  const { chainId, packageId } = await chain.info();
  const message = RunnerErasureBcs.serialize({
    chainId,
    packageId,
    contributionId,
    runnerSigningKey: keys.signing.publicKey,
    tombstonedAtMs,
    sessions: had,
    ...erased,
    droppedAtMs: clock.nowMs(),
  }).toBytes();
  const { secretKey } = keys.signing;
  const signature = await sign({ secretKey, domainTag: TAGS.runnerErasure, message });
  logger.info('contribution.dropped', { contributionId, sessions: had, ...erased });
  return { statement: toBase64(message), signature: toBase64(signature) };
}

async function eraseStored(
  indexes: IndexStore | undefined,
  contribution: Pick<ContributionView, 'id' | 'datasetId'>,
): Promise<ErasedFiles> {
  if (indexes === undefined) return { storedIndexes: 0, hadStoredDocument: false };
  try {
    return await indexes.erase(contribution);
  } catch (cause) {
    throw refuse('RUNNER_UNAVAILABLE', { reason: 'what is stored cannot be deleted' }, cause);
  }
}
