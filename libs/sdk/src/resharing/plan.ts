import { fromBase64, type Digest } from '@usufruct/kernel';
import { isLiving, splitPoints, type Holding } from '@usufruct/protocol';
import type { ReshareHolder } from './holder-client.js';
import { polynomialOf, type HeldManifest, type KnownHoldings, type ReshareLook } from './look.js';

/** A holder of a share on the polynomial that is shared again. */
export interface Dealer {
  readonly holder: ReshareHolder;
  /** Position on it. */
  readonly index: number;
}
/** A manifest that still has to be shared again, and who can. */
export interface Pending extends HeldManifest {
  /** Of the polynomial to start from; null for the manifest's own. Base64. */
  readonly commitments: string | null;
  /** By position, lowest first: the same for everybody who looks. */
  readonly dealers: readonly Dealer[];
}
export interface ResharePlan {
  /** Every living member of the version has its share, all on one polynomial. */
  readonly done: readonly Digest[];
  readonly pending: readonly Pending[];
  /** Pending, and a member of the version has its new share already: a certificate is on its way. */
  readonly halfway: readonly Digest[];
}

/** Pure: the same look gives the same plan. */
export function planFor(look: ReshareLook): ResharePlan {
  const done: Digest[] = [];
  const halfway: Digest[] = [];
  const pending: Pending[] = [];
  for (const manifest of look.manifests) {
    if (isDone(look, manifest.manifestDigest)) done.push(manifest.manifestDigest);
    else {
      pending.push(sourceOf(look, manifest));
      if (holdersOf(look, manifest.manifestDigest).some(([, holding]) => isNew(look, holding))) {
        halfway.push(manifest.manifestDigest);
      }
    }
  }
  return { done, pending, halfway };
}

const holdersOf = ({ holders }: ReshareLook, digest: Digest): [KnownHoldings, Holding][] =>
  holders.flatMap((known): [KnownHoldings, Holding][] => {
    const holding = known.holdings.get(digest);
    return holding === undefined ? [] : [[known, holding]];
  });

/** Made by a re-sharing for the version that is. */
const isNew = ({ set }: ReshareLook, { version, commitments }: Holding): boolean =>
  version === set.version && commitments !== null;

/** As far as holders answer: one that does not is in `absent`, and is asked the next time. */
function isDone({ set, holders, absent }: ReshareLook, digest: Digest): boolean {
  const polynomials = new Set<Digest>();
  const seated = set.members.every((member, i) => {
    if (!isLiving(set, member) || absent.includes(i)) return true;
    const holding = holders.find((known) => known.member === i)?.holdings.get(digest);
    if (holding === undefined || holding.index !== i + 1 || holding.version !== set.version) return false;
    polynomials.add(polynomialOf(holding, set.id));
    return true;
  });
  return seated && polynomials.size === 1;
}

/** The newest polynomial that most holders have shares on. Shares made for this version already are not dealt again. */
function sourceOf(look: ReshareLook, manifest: HeldManifest): Pending {
  const groups = new Map<Digest, { readonly first: Holding; readonly dealers: Dealer[] }>();
  for (const [{ holder, isRetired }, holding] of holdersOf(look, manifest.manifestDigest)) {
    if (isRetired || isNew(look, holding)) continue;
    const polynomial = polynomialOf(holding, look.set.id);
    const group = groups.get(polynomial) ?? { first: holding, dealers: [] };
    group.dealers.push({ holder, index: holding.index });
    groups.set(polynomial, group);
  }
  const best = [...groups.entries()].sort(([idA, a], [idB, b]) => {
    const isEnough = (group: typeof a): number => Number(group.dealers.length >= leastDealers(group.first));
    return (
      isEnough(b) - isEnough(a) ||
      b.first.version - a.first.version ||
      b.dealers.length - a.dealers.length ||
      (idA < idB ? -1 : 1)
    );
  })[0]?.[1];
  return {
    ...manifest,
    commitments: best?.first.commitments ?? null,
    dealers: (best?.dealers ?? []).toSorted((a, b) => a.index - b.index),
  };
}

/** Where the polynomial is the manifest's own, only the manifest says. */
const leastDealers = ({ commitments }: Holding): number =>
  commitments === null ? 1 : splitPoints(fromBase64(commitments, 'commitments')).length;
