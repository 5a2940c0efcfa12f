import { fromBase64, fromHex, type Digest, type RandomSource } from '@usufruct/kernel';
import { deal, deriveSessionKey, keyCommitment, type Deal } from '@usufruct/crypto';
import { TAGS } from '@usufruct/protocol';
import { seededRandom } from '../seeded-random.js';
import type { Plan } from './records.js';

/** Everything secret about one contribution, from the seed in its plan: the same plan gives the same. */
export interface ContributionKey {
  readonly deal: Deal;
  readonly sessionKey: Uint8Array;
  readonly keyCommitment: Digest;
  /** The envelope's salt. */
  readonly envelopeRandom: RandomSource;
}

export function contributionKey(plan: Plan): ContributionKey {
  const seed = fromBase64(plan.seed);
  const context = fromHex(plan.contributionId);
  const dealt = deal({
    threshold: plan.threshold,
    holderCount: plan.holderCount,
    random: seededRandom(seed, 'usufruct/sdk/deal/v1'),
  });
  const sessionKey = deriveSessionKey({ domainTag: TAGS.sessionKey, secret: dealt.secret, context });
  return {
    deal: dealt,
    sessionKey,
    keyCommitment: keyCommitment({ domainTag: TAGS.keyCommitment, sessionKey, context }),
    envelopeRandom: seededRandom(seed, 'usufruct/sdk/envelope/v1'),
  };
}
