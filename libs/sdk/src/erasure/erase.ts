import { refuse, toUsufructError, type ContributionId, type Verdict } from '@usufruct/kernel';
import {
  erasureReceiptDigest,
  erasureRemains,
  NOT_ERASED,
  WALLET_ACTIONS,
  walletStatementBytes,
  parseAnswer,
  zErasureAnswer,
  zErasureReceipt,
  type ContributionView,
  type ErasurePart,
  type ErasureReceipt,
  type HolderSetView,
  type NotErased,
} from '@usufruct/protocol';
import { requestJson } from '../api/http.js';
import type { ClientContext } from '../context.js';
import { keyModeOf } from '../contribute/key-modes.js';
import { tombstoneContribution } from '../contribute/retire.js';
import { firstGood, holderName, knownHolders, locatedIn } from '../holders.js';
import { readRecord, writeRecord } from '../journal.js';
import { requireOwner } from '../releases.js';
import { blobsOf, endLeases } from './blobs.js';
import { isHolders, judgeErasure, type ErasureOnChain, type ErasureSubject } from './judge.js';
import { runnerParts } from './runners.js';

/** What erasing would do, before anything is signed. */
export interface ErasurePlan {
  readonly contribution: ContributionView;
  readonly isRetired: boolean;
  readonly holderSet: HolderSetView;
  /** By member of the holder set: whether it answers now. One that does not is asked again later. */
  readonly inReach: readonly boolean[];
  /** Parts of the ciphertext and the manifest, which lie in the store until their leases end. */
  readonly blobs: number;
  readonly lastEndEpoch: number;
  readonly notErased: readonly NotErased[];
}
export interface Erasure {
  readonly receipt: ErasureReceipt;
  /** Of that receipt, with the chain. It is not good as long as a key holder is missing. */
  readonly verdict: Verdict;
}

const recordOf = (id: ContributionId): string => `erasure/${id}`;

/** Refuses `NOT_FOUND`, `WRONG_WALLET`. */
export async function planErasure(context: ClientContext, contributionId: ContributionId): Promise<ErasurePlan> {
  const { contribution, holderSet } = await onChain(context, contributionId);
  requireOwner(context, contribution);
  const urls = locatedIn(await knownHolders(context), holderSet);
  return {
    contribution,
    isRetired: contribution.tombstonedAtMs !== null,
    holderSet,
    inReach: urls.map(({ length }) => length > 0),
    blobs: blobsOf(contribution).length,
    lastEndEpoch: Math.max(...blobsOf(contribution).map(({ endEpoch }) => endEpoch)),
    notErased: await notErased(context, contribution),
  };
}

/**
 * Erase a contribution, by its owner: retire it for good on the chain, then have every key holder destroy its share and
 * sign that it did, and end the leases of its blobs where they were made so that they can be. Whatever is away is missing in the receipt, and asked again by calling again; what was signed is
 * kept, so nothing is asked of it twice. The receipt says what remains to be done and what cannot be undone; the owner's
 * wallet signs the whole.
 *
 * Refuses `NOT_FOUND`, `WRONG_WALLET`, `CHAIN_UNAVAILABLE`, and what retiring refuses; nothing is asked of a holder then.
 */
export async function eraseContribution(context: ClientContext, contributionId: ContributionId): Promise<Erasure> {
  requireOwner(context, await context.chain.contribution(contributionId));
  await tombstoneContribution(context, contributionId);
  const chain = await onChain(context, contributionId);
  const { contribution, holderSet } = chain;
  if (contribution.tombstonedAtMs === null) throw refuse('UPSTREAM_INVALID', { upstream: 'chain', field: 'tombstone' });
  const subject = await subjectOf(context, contribution, contribution.tombstonedAtMs);
  const before = await readRecord(context.journal, recordOf(contributionId), zErasureReceipt);
  // Read from the manifest, which is gone afterwards where the store can delete it.
  const left = before?.notErased ?? [...(await notErased(context, contribution))];
  const signed = [...(before?.holders ?? []), ...(before?.otherHolders ?? [])];
  const parts = {
    ...(await holderParts(context, subject, holderSet, signed)),
    ...(await runnerParts(context, subject, before?.runners ?? [])),
    blobs: await endLeases(context, contribution),
  };
  const receipt = await signWhole(context, {
    type: 'usufruct/erasure-receipt',
    version: 2,
    ...subject,
    owner: contribution.owner,
    threshold: holderSet.threshold,
    issuedAtMs: context.clock.nowMs(),
    ...parts,
    remains: erasureRemains(parts),
    notErased: left,
    collectedBy: context.signer.address,
  });
  await writeRecord(context.journal, recordOf(contributionId), receipt);
  return { receipt, verdict: await judgeErasure(receipt, chain) };
}

async function signWhole(
  { signer }: ClientContext,
  unsigned: Omit<ErasureReceipt, 'signature'>,
): Promise<ErasureReceipt> {
  const { chainId } = unsigned;
  const statement = { action: WALLET_ACTIONS.erasureReceipt, chainId, digest: erasureReceiptDigest(unsigned) };
  return { ...unsigned, signature: await signer.signPersonalMessage(walletStatementBytes(statement)) };
}

/** Without the key servers where the manifest says that it has none; where it cannot be read, they are named. */
async function notErased(context: ClientContext, contribution: ContributionView): Promise<readonly NotErased[]> {
  const mode = await keyModeOf(context, contribution);
  return NOT_ERASED.filter((name) => name !== 'key_servers' || mode !== 'holders');
}

/** The verdict on somebody's receipt by this client's own view of the chain. Refuses `NOT_FOUND`. */
export async function verifyErasure(context: ClientContext, receipt: ErasureReceipt): Promise<Verdict> {
  return judgeErasure(receipt, await onChain(context, receipt.contributionId));
}

async function onChain({ chain }: ClientContext, id: ContributionId): Promise<ErasureOnChain> {
  const contribution = await chain.contribution(id);
  const [{ chainId }, holderSet] = await Promise.all([chain.info(), chain.holderSet(contribution.holderSetId)]);
  return { chainId, contribution, holderSet };
}

async function subjectOf(
  { chain }: ClientContext,
  { id, datasetId, holderSetId }: ContributionView,
  tombstonedAtMs: ErasureSubject['tombstonedAtMs'],
): Promise<ErasureSubject> {
  const { chainId, packageId } = await chain.info();
  return { chainId, packageId, contributionId: id, datasetId, holderSetId, tombstonedAtMs };
}

/** Members of the set by their keys on the chain, and whoever else this client knows by the key that it shows. */
async function holderParts(
  context: ClientContext,
  subject: ErasureSubject,
  holderSet: HolderSetView,
  before: readonly ErasurePart[],
): Promise<Pick<ErasureReceipt, 'holders' | 'otherHolders'>> {
  const known = await knownHolders(context);
  const urls = locatedIn(known, holderSet);
  const part = (signingPublicKey: string, claimants: readonly string[], upstream: string): Promise<ErasurePart> =>
    holderPart(context, subject, before, { signingPublicKey, urls: claimants, upstream });
  const others = known.filter(({ url }) => !urls.flat().includes(url));
  const [holders, otherHolders] = await Promise.all([
    Promise.all(holderSet.members.map((member, i) => part(member.signingPublicKey, urls[i] ?? [], holderName(i)))),
    Promise.all(others.map(({ url, identity }) => part(identity.signingPublicKey, [url], `key holder at ${url}`))),
  ]);
  return { holders, otherHolders };
}

interface Asked {
  readonly signingPublicKey: string;
  /** Of all that say that they have this key. */
  readonly urls: readonly string[];
  readonly upstream: string;
}

async function holderPart(
  { fetch }: ClientContext,
  subject: ErasureSubject,
  before: readonly ErasurePart[],
  { signingPublicKey, urls, upstream }: Asked,
): Promise<ErasurePart> {
  const known = before.find((one) => one.state === 'done' && one.signingPublicKey === signingPublicKey);
  if (known !== undefined && (await isHolders(subject, known))) return known;
  try {
    return await firstGood(urls, upstream, async (url) => {
      const body = { contributionId: subject.contributionId };
      const answer = await requestJson({ fetch, url: `${url}/v1/erasures`, upstream, body });
      const signed = parseAnswer(zErasureAnswer, answer, upstream);
      const part: ErasurePart = { signingPublicKey, state: 'done', signed, error: null };
      if (!(await isHolders(subject, part))) throw refuse('UPSTREAM_INVALID', { upstream, field: 'statement' });
      return part;
    });
  } catch (error) {
    return { signingPublicKey, state: 'missing', signed: null, error: toUsufructError(error).code };
  }
}
