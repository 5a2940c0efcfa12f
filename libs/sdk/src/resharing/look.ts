import { fromBase64, type ContributionId, type Digest, type Hex32, type HolderSetId } from '@usufruct/kernel';
import {
  decodeManifest,
  isLiving,
  polynomialDigest,
  splitPoints,
  type ContributionView,
  type Holding,
  type ResharePart,
  type HolderSetView,
} from '@usufruct/protocol';
import type { ClientContext } from '../context.js';
import { fetchManifest } from '../contribute/manifest-blob.js';
import { reachHolders, type ReshareHolder } from './holder-client.js';

export type ReshareContext = Pick<ClientContext, 'chain' | 'clock' | 'fetch' | 'holders'> & {
  readonly store: Pick<ClientContext['store'], 'get' | 'getPatch'>;
};

/** A holder that answered, and what it says that it has. */
export interface KnownHoldings {
  readonly holder: ReshareHolder;
  /** Place in the version that is, from 0; null for one of an earlier version. */
  readonly member: number | null;
  readonly isRetired: boolean;
  readonly holdings: ReadonlyMap<Digest, Holding>;
  /** What it has to make new shares from. */
  readonly parts: readonly ResharePart[];
}
/** What is to be shared again: a registered contribution of the set that nobody has retired. */
export interface HeldManifest {
  readonly manifestDigest: Digest;
  readonly contribution: ContributionView;
}
export interface ReshareLook {
  readonly chainId: string;
  readonly packageId: Hex32;
  readonly set: HolderSetView;
  readonly holders: readonly KnownHoldings[];
  /** Living members of the version that did not answer, from 0. */
  readonly absent: readonly number[];
  /** By manifest digest. */
  readonly manifests: readonly HeldManifest[];
}

/**
 * Who of a set's holders, present and past, answers at the known addresses, and what each has shares of. The holders'
 * word decides what is tried and proves nothing. Contributions that are not registered, or were retired, are left out.
 */
export async function lookAt(
  context: ReshareContext,
  holderSetId: HolderSetId,
  moreUrls: readonly string[] = [],
): Promise<ReshareLook> {
  const { chain } = context;
  const [set, { chainId, packageId }] = await Promise.all([chain.holderSet(holderSetId), chain.info()]);
  const urls = [...context.holders.map(({ url }) => url), ...moreUrls.map((url) => url.replace(/\/+$/, ''))];
  const reached = await reachHolders(context, urls, chainId);
  const asked = await Promise.allSettled(reached.map((holder) => knownHoldings(holder, set)));
  const holders = asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const absent = set.members.flatMap((member, i) =>
    isLiving(set, member) && !holders.some((known) => known.member === i) ? [i] : [],
  );
  return { chainId, packageId, set, holders, absent, manifests: await registered(context, holderSetId, holders) };
}

async function knownHoldings(holder: ReshareHolder, set: HolderSetView): Promise<KnownHoldings> {
  const { signingPublicKey } = holder;
  const member = set.members.findIndex((candidate) => candidate.signingPublicKey === signingPublicKey);
  return {
    holder,
    member: member < 0 ? null : member,
    isRetired: set.tombstonedKeys.includes(signingPublicKey),
    holdings: new Map((await holder.holdings(set.id)).map((holding) => [holding.manifestDigest, holding])),
    parts: await holder.parts(set.id),
  };
}

async function registered(
  { chain }: ReshareContext,
  holderSetId: HolderSetId,
  holders: readonly KnownHoldings[],
): Promise<HeldManifest[]> {
  // Of some there may be no share at all any more, where a certificate reached only those that have none now.
  const held = holders.flatMap(({ holdings, parts }) => [...holdings.values(), ...parts]);
  const contributions = new Map<ContributionId, ContributionView>();
  for (const datasetId of new Set(held.map((holding) => holding.datasetId))) {
    if ((await chain.dataset(datasetId)).tombstonedAtMs !== null) continue;
    for (const contribution of await chain.contributionsOf(datasetId)) contributions.set(contribution.id, contribution);
  }
  const manifests = new Map<Digest, HeldManifest>();
  for (const { contributionId, manifestDigest: digest } of held) {
    const contribution = contributions.get(contributionId);
    const isHere = contribution?.manifestDigest === digest && contribution.holderSetId === holderSetId;
    if (isHere && contribution.tombstonedAtMs === null) manifests.set(digest, { manifestDigest: digest, contribution });
  }
  return [...manifests.values()].sort((a, b) => (a.manifestDigest < b.manifestDigest ? -1 : 1));
}

/** Which polynomial a holder says that its share lies on. */
export const polynomialOf = (
  { manifestDigest: digest, version, commitments }: Holding,
  holderSetId: HolderSetId,
): Digest =>
  commitments === null
    ? digest
    : polynomialDigest({
        manifestDigest: digest,
        holderSetId,
        version,
        commitments: splitPoints(fromBase64(commitments, 'commitments')),
      });

/** The registered manifest's bytes, from the store. Refuses `BLOB_*`, `MANIFEST_*`. */
export async function fetchManifestBytes(
  { store }: ReshareContext,
  { contribution }: HeldManifest,
): Promise<Uint8Array> {
  const manifest = await fetchManifest(store, contribution);
  decodeManifest(manifest);
  return manifest;
}
