import { sign } from '@usufruct/crypto';
import { refuse, toBase64, type ContributionId, type TimestampMs } from '@usufruct/kernel';
import {
  ErasureStatementBcs,
  TAGS,
  type ContributionView,
  type ErasureAnswer,
  type ErasureRequest,
} from '@usufruct/protocol';
import type { Holder } from '../holder.js';

/**
 * Destroy every share of a contribution that its owner has retired for good, and say so, signed. Whether it is retired
 * this holder reads from the chain itself; who asks does not matter, and asking again gives the same word. A holder
 * that has none says that it destroyed none.
 *
 * The log keeps its entries: that a key was released is not undone by destroying it. Openings of private receipts stay
 * until their epochs are divided: they hold weights and no content.
 *
 * Refuses `NOT_FOUND`, `FORBIDDEN` (the chain does not say that it is retired), `RATE_LIMITED`, `CHAIN_UNAVAILABLE`.
 */
export async function erase(holder: Holder, { contributionId }: ErasureRequest): Promise<ErasureAnswer> {
  holder.erasuresPerContribution.take(contributionId, 'erasures of one contribution');
  const contribution = await holder.chain.contribution(contributionId);
  await destroyShares(holder, contribution);
  const stored = holder.erasures.find(contributionId);
  if (stored === undefined) throw refuse('INTERNAL');
  return { statement: toBase64(stored.statement), signature: toBase64(stored.signature) };
}

/** How often shares that come at the same time are taken in before it gives up. */
const TRIES = 3;

/**
 * Of a contribution that was retired, or whose dataset was. Idempotent, and one at a time: the files are looked through
 * for what was deleted. Refuses `FORBIDDEN`.
 */
export function destroyShares(holder: Holder, contribution: ContributionView): Promise<void> {
  const { tombstonedAtMs } = contribution;
  if (tombstonedAtMs === null) {
    throw refuse('FORBIDDEN', {
      contributionId: contribution.id,
      reason: 'on the chain it is not retired; its owner retires it first',
    });
  }
  return holder.erasing.exclusively(async () => {
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (await destroyOnce(holder, contribution, tombstonedAtMs)) return;
    }
    throw refuse('INTERNAL');
  });
}

async function destroyOnce(
  holder: Holder,
  { id, datasetId, holderSetId }: ContributionView,
  tombstonedAtMs: TimestampMs,
): Promise<boolean> {
  const { erasures, scrubber, keys, clock, logger, backups } = holder;
  const left = erasures.sharesLeft(id);
  const known = erasures.find(id);
  if (known !== undefined && left.manifestDigests.length === 0 && isAbout(known.statement, tombstonedAtMs)) {
    await scrubber.finish();
    return true;
  }
  const { chainId, packageId } = await holder.chain.info();
  const statement = ErasureStatementBcs.serialize({
    chainId,
    packageId,
    contributionId: id,
    datasetId,
    holderSetId,
    holderSigningKey: keys.signing.publicKey,
    tombstonedAtMs,
    manifestDigests: [...digestsIn(known?.statement), ...left.manifestDigests],
    destroyedAtMs: clock.nowMs(),
    backupsUntilMs: backups.openableUntilMs(clock.nowMs()),
  }).toBytes();
  const { secretKey } = keys.signing;
  const signature = await sign({ secretKey, domainTag: TAGS.erasureStatement, message: statement });
  if (!erasures.destroy(id, left, statement, signature)) return false;
  await scrubber.finish();
  logger.info('shares.destroyed', { contributionId: id, shares: left.manifestDigests.length });
  return true;
}

/** Where the dataset went first, its owner may still retire it: then the word is given for that, too. */
const isAbout = (statement: Uint8Array, tombstonedAtMs: TimestampMs): boolean =>
  ErasureStatementBcs.parse(statement).tombstonedAtMs === tombstonedAtMs;

/** Shares that came back, with an old backup, and go again: what was said of the first ones stays true. */
const digestsIn = (statement: Uint8Array | undefined) =>
  statement === undefined ? [] : ErasureStatementBcs.parse(statement).manifestDigests;

/** Whether this holder destroyed its shares of a contribution: none is taken again, whatever the chain says by now. */
export const isErased = ({ erasures }: Holder, contributionId: ContributionId): boolean =>
  erasures.find(contributionId) !== undefined;
