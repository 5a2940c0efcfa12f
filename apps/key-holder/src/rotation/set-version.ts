import { refuse, toBase64, type ContributionId, type Digest, type Hex32, type HolderSetId } from '@usufruct/kernel';
import type { ContributionView, HolderSetView } from '@usufruct/protocol';
import type { Holder } from '../holder.js';

export interface SetVersion {
  readonly set: HolderSetView;
  readonly chainId: string;
  readonly packageId: Hex32;
  /** This holder's place in it, from 0; null where it has none. */
  readonly member: number | null;
}

/**
 * The version of a set that shares are dealt for: the one that this holder's own view of the chain has now, and no
 * other, whoever asks. Refuses `POLICY_OUTDATED` for another version, `TOMBSTONED` once this holder's key was retired.
 */
export async function currentVersion(holder: Holder, holderSetId: HolderSetId, version: number): Promise<SetVersion> {
  const found = await knownVersion(holder, holderSetId, version);
  if (found.isPast) throw outdated(found.current);
  return found;
}

/**
 * Also one that is past, if this holder received sub-shares as a member of it: what the chain said of it then, without
 * the members that were retired since. Refuses as `currentVersion`.
 */
export async function knownVersion(
  { chain, keys, setVersions }: Holder,
  holderSetId: HolderSetId,
  version: number,
): Promise<SetVersion & { readonly isPast: boolean; readonly current: number }> {
  const [now, { chainId, packageId }] = await Promise.all([chain.holderSet(holderSetId), chain.info()]);
  const isPast = version < now.version;
  const then = isPast ? setVersions.find(holderSetId, version) : now;
  if (then?.version !== version) throw outdated(now.version);
  const ownKey = toBase64(keys.signing.publicKey);
  if (now.tombstonedKeys.includes(ownKey)) throw refuse('TOMBSTONED', { holderSetId });
  const set = { ...then, tombstonedKeys: now.tombstonedKeys };
  const member = set.members.findIndex(({ signingPublicKey }) => signingPublicKey === ownKey);
  return { set, chainId, packageId, member: member < 0 ? null : member, isPast, current: now.version };
}

const outdated = (current: number) => refuse('POLICY_OUTDATED', { object: 'holder set', current: String(current) });

export interface Registered {
  readonly manifestDigest: Digest;
  readonly contributionId: ContributionId;
  readonly datasetId: ContributionView['datasetId'];
}

/**
 * Each of these manifests is the one that the chain has registered for its contribution, which nobody has retired.
 * Refuses `NOT_FOUND`, `MANIFEST_MISMATCH`, `TOMBSTONED`: what must not be opened any more is not shared again.
 */
export async function requireRegistered({ chain }: Holder, manifests: readonly Registered[]): Promise<void> {
  const datasetIds = [...new Set(manifests.map(({ datasetId }) => datasetId))];
  const datasets = await Promise.all(datasetIds.map((id) => chain.dataset(id)));
  const retired = datasets.find(({ tombstonedAtMs }) => tombstonedAtMs !== null);
  if (retired !== undefined) throw refuse('TOMBSTONED', { datasetId: retired.id });
  // These and no others: a dataset may have ten thousand, of which a batch is a fortieth.
  const contributions = await chain.contributions(manifests.map(({ contributionId }) => contributionId));
  for (const [i, { contributionId, datasetId, manifestDigest }] of manifests.entries()) {
    const contribution = contributions[i] ?? null;
    if (contribution?.datasetId !== datasetId) throw refuse('NOT_FOUND', { contributionId });
    if (contribution.manifestDigest !== manifestDigest) throw refuse('MANIFEST_MISMATCH', { contributionId });
    if (contribution.tombstonedAtMs !== null) throw refuse('TOMBSTONED', { contributionId });
  }
}
