import { refuse, toUsufructError, type DaoId, type EpochId, type WireError } from '@usufruct/kernel';
import {
  epochPhase,
  LIMITS,
  parseAnswer,
  payoutQueryDigest,
  WALLET_ACTIONS,
  zPayoutAnswer,
  type EpochPhase,
  type EpochView,
  type HolderSetView,
  type PayoutAnswer,
  type PayoutProof,
} from '@usufruct/protocol';
import { requestJson } from './api/http.js';
import type { ClientContext } from './context.js';
import { checkPayoutProof, claimPayout, type Claim } from './epochs.js';
import { firstGood, holderName, knownHolders, locatedIn, type KnownHolder } from './holders.js';
import { listContributions } from './payouts.js';
import { signedQuery } from './reader.js';

/** The signer's part of one epoch, with the proof that it is one. */
export interface PrivatePayout {
  readonly epoch: EpochView;
  readonly phase: EpochPhase;
  readonly proof: PayoutProof;
  readonly isClaimed: boolean;
}
export interface PrivatePayouts {
  /** By DAO, each epoch in its order. */
  readonly payouts: readonly PrivatePayout[];
  /**
   * Open epochs of which no part was proven and not every member of the set has said that there is none: one holder's word
   * proves nothing, so the signer may have a part of them, too.
   */
  readonly unanswered: readonly EpochId[];
  /** Why a holder gave nothing, by DAO and place in its set, where one did; `NOT_FOUND` with the epoch that it has not recomputed. */
  readonly errors: readonly { readonly daoId: DaoId; readonly member: number; readonly error: WireError }[];
}

/**
 * The signer's own leaves of a DAO's open epochs, or of those of all DAOs that it has contributed to (as the API lists
 * them). All holders in reach are asked and any one's proof suffices: each is checked against the root on this client's own view of the chain,
 * and what fails is as if it had not come. The wallet signs one request a DAO.
 *
 * It proves that the account has this amount in the epoch; not that the weights behind it are right, which only those who
 * recomputed them can say.
 */
export async function privatePayouts(context: ClientContext, daoId?: DaoId): Promise<PrivatePayouts> {
  const daoIds = daoId === undefined ? await ownDaos(context) : [daoId];
  const all: PrivatePayouts[] = [];
  for (const id of daoIds) all.push(await payoutsOfDao(context, id));
  return {
    payouts: all.flatMap(({ payouts }) => payouts),
    unanswered: all.flatMap(({ unanswered }) => unanswered),
    errors: all.flatMap(({ errors }) => errors),
  };
}

/** Claim all that can be claimed now, one after the other. Claiming again changes nothing. */
export async function claimAll(context: ClientContext, daoId?: DaoId): Promise<Claim[]> {
  const { payouts } = await privatePayouts(context, daoId);
  const claims: Claim[] = [];
  for (const { phase, isClaimed, proof } of payouts) {
    if (phase === 'claimable' && !isClaimed) claims.push(await claimPayout(context, proof));
  }
  return claims;
}

async function ownDaos(context: ClientContext): Promise<DaoId[]> {
  const contributions = await listContributions(context, { owner: context.signer.address });
  const datasetIds = [...new Set(contributions.map(({ datasetId }) => datasetId))];
  const datasets = await Promise.all(datasetIds.map((id) => context.chain.dataset(id)));
  return [...new Set(datasets.map((dataset) => dataset.daoId))];
}

async function payoutsOfDao(context: ClientContext, daoId: DaoId): Promise<PrivatePayouts> {
  const { chain, clock } = context;
  const nowMs = clock.nowMs();
  const open = (await chain.epochsOf(daoId)).filter((epoch) => isOfInterest(epochPhase(epoch, nowMs)));
  const found = new Map<EpochId, PayoutProof>();
  const knownBy = new Map<EpochId, Set<number>>(open.map(({ id }) => [id, new Set()]));
  const holders = await holdersOf(context, daoId);
  const errors: { daoId: DaoId; member: number; error: WireError }[] = [];
  for (let from = 0; from < open.length; from += LIMITS.epochsPerPayoutQuery) {
    const epochs = open.slice(from, from + LIMITS.epochsPerPayoutQuery);
    const asked = await ask(context, holders, daoId, epochs);
    for (const answer of asked.others) takeGood(context, epochs, answer, found);
    for (const [member, answer] of asked.members.entries()) {
      if ('error' in answer) {
        errors.push({ daoId, member, error: answer.error });
        continue;
      }
      takeGood(context, epochs, answer, found);
      for (const id of answer.known) knownBy.get(id)?.add(member);
    }
    for (const { id } of epochs) {
      if (found.has(id)) continue;
      for (const [member, answer] of asked.members.entries()) {
        if ('error' in answer || answer.known.includes(id)) continue;
        errors.push({ daoId, member, error: refuse('NOT_FOUND', { object: 'epoch', epochId: id }).toWire() });
      }
    }
  }
  const payouts = open.flatMap((epoch) => {
    const proof = found.get(epoch.id);
    return proof === undefined ? [] : [{ epoch, phase: epochPhase(epoch, nowMs), proof }];
  });
  return {
    payouts: await Promise.all(
      payouts.map(async (one) => ({ ...one, isClaimed: await chain.isClaimed(one.epoch.id, one.proof.leaf.index) })),
    ),
    unanswered: open.flatMap(({ id }) =>
      found.has(id) || knownBy.get(id)?.size === holders.set.members.length ? [] : [id],
    ),
    errors,
  };
}

const isOfInterest = (phase: EpochPhase): boolean => phase === 'challenge' || phase === 'claimable';

function takeGood(
  { signer }: ClientContext,
  epochs: readonly EpochView[],
  answer: PayoutAnswer,
  found: Map<EpochId, PayoutProof>,
): void {
  const own = answer.payouts.filter(({ leaf }) => leaf.account === signer.address);
  for (const epoch of epochs) {
    const proof = own.find((one) => one.epochId === epoch.id);
    if (proof !== undefined && checkPayoutProof(epoch, proof).ok) found.set(epoch.id, proof);
  }
}

interface Asked {
  /** An answer or why there is none, in the order of the DAO's holder set. */
  readonly members: readonly (PayoutAnswer | { readonly error: WireError })[];
  /** What other known holders say, who may have been members: a proof is as good from them. */
  readonly others: readonly PayoutAnswer[];
}

interface DaoHolders {
  readonly set: HolderSetView;
  readonly known: readonly KnownHolder[];
}
async function holdersOf(context: ClientContext, daoId: DaoId): Promise<DaoHolders> {
  const { policy } = await context.chain.dao(daoId);
  return { set: await context.chain.holderSet(policy.holderSetId), known: await knownHolders(context) };
}

/** One signed request to every member of the DAO's holder set, and to every other holder that this client knows. */
async function ask(
  context: ClientContext,
  { set, known }: DaoHolders,
  daoId: DaoId,
  epochs: readonly EpochView[],
): Promise<Asked> {
  const { clock, fetch, signer } = context;
  const epochIds = epochs.map(({ id }) => id);
  const query = { daoId, account: signer.address, epochIds, issuedAtMs: clock.nowMs() };
  const bodyFor = await signedQuery(context, WALLET_ACTIONS.payoutQuery, query, payoutQueryDigest);
  const urls = locatedIn(known, set);
  const askOne = async (url: string, signingKey: string, upstream: string): Promise<PayoutAnswer> => {
    const body = await bodyFor(signingKey);
    const answer = await requestJson({ fetch, url: `${url}/v1/payouts/query`, upstream, body });
    return parseAnswer(zPayoutAnswer, answer, upstream);
  };
  const askMember = async (claimants: readonly string[], member: number) => {
    const upstream = holderName(member);
    try {
      const { signingPublicKey } = set.members[member]!;
      return await firstGood(claimants, upstream, (url) => askOne(url, signingPublicKey, upstream));
    } catch (error) {
      return { error: toUsufructError(error).toWire() };
    }
  };
  // Answers are signed by nobody, proofs are checked: of those who claim one place all are asked.
  const more = known.filter(({ url }) => !urls.some(([first]) => first === url));
  const [members, others] = await Promise.all([
    Promise.all(urls.map(askMember)),
    Promise.allSettled(more.map(({ url, identity }) => askOne(url, identity.signingPublicKey, `key holder at ${url}`))),
  ]);
  return { members, others: others.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])) };
}
