import { sign } from '@usufruct/crypto';
import { concatBytes, equalBytes, fromBase64, refuse, toBase64 } from '@usufruct/kernel';
import {
  decodeManifest,
  encodeReshareResult,
  heldKeys,
  manifestDigest,
  polynomialDigest,
  splitPoints,
  TAGS,
  type DealingFault,
  type HolderSetView,
  type Manifest,
  type ReshareEntry,
  type ResharedPolynomial,
  type SubSharesAnswer,
  type SubSharesRequest,
} from '@usufruct/protocol';
import { inTransaction } from '@usufruct/service';
import { isErased } from '../erasure/erase.js';
import type { Holder } from '../holder.js';
import { judgeDealing, type GoodDealing, type Source } from './judge-dealing.js';
import { judgeShares } from './judge-shares.js';
import { currentVersion, requireRegistered } from './set-version.js';
import type { NewSubShare } from './sub-share-store.js';

interface Batch {
  readonly manifests: readonly Manifest[];
  readonly sources: readonly Source[];
}

/**
 * Take sub-shares of a batch of manifests from as many dealers as their polynomials' threshold. Only when every one is
 * good they are stored, durably, and then this holder signs which polynomials its shares will lie on; otherwise the
 * bad dealers are named. The same again gives the same signature.
 *
 * Refuses `POLICY_OUTDATED` (another version), `FORBIDDEN` (no member of it), `TOMBSTONED`, `NOT_FOUND` or
 * `MANIFEST_MISMATCH` (not a registered manifest), `MANIFEST_INVALID`, `SHARE_INVALID` (the dealers together do not
 * commit to the secret of the manifest), `INVALID_ARGUMENT`.
 */
export async function receiveSubShares(holder: Holder, request: SubSharesRequest): Promise<SubSharesAnswer> {
  const { holderSetId, toVersion } = request;
  const { set, chainId, member } = await currentVersion(holder, holderSetId, toVersion);
  if (member === null) throw refuse('FORBIDDEN', { holderSetId, reason: 'this holder is not a member of the version' });
  const batch = readBatch(request);
  await requireRegistered(
    holder,
    batch.manifests.map((manifest, i) => ({ ...manifest, ...batch.sources[i]! })),
  );
  const params = { set, chainId, member, sources: batch.sources };
  const judged = [];
  for (const given of request.dealings) judged.push(await judgeDealing(holder, given, params));
  const faults = judged.flatMap(({ fault }, dealing): DealingFault[] =>
    fault === null ? [] : [{ ...fault, dealing }],
  );
  if (faults.length > 0) return refused(holder, holderSetId, faults);
  const inOrder = judged.flatMap(({ good }) => (good === null ? [] : [good]));
  const shares = await judgeShares(holder, inOrder, params);
  if (!shares.ok) return refused(holder, holderSetId, shares.faults);
  const dealings = inOrder.toSorted((a, b) => a.index - b.index);
  const entries = resultOf(holder, { holderSetId, version: toVersion }, dealings[0]!.entries, shares.commitments);
  await store(holder, set, batch, dealings);
  const dealers = dealings.map(({ index }) => index);
  const result = encodeReshareResult({ chainId, holderSetId, toVersion, dealers, entries });
  const { secretKey } = holder.keys.signing;
  const signature = await sign({ secretKey, domainTag: TAGS.reshareResult, message: result });
  holder.logger.info('resharing.received', {
    holderSetId,
    toVersion,
    manifests: entries.length,
    dealers: dealers.length,
  });
  return { ok: true, result: toBase64(result), signature: toBase64(signature) };
}

/**
 * The first commitment is the manifest's in every version: swapped commitments to another secret end here, and what
 * else is wrong with them every honest dealer's signature contradicts.
 */
function readBatch({ holderSetId, manifests: given, dealings }: SubSharesRequest): Batch {
  const manifests: Manifest[] = [];
  const sources = given.map((one, i): Source => {
    const bytes = fromBase64(one.manifest, 'manifest');
    const manifest = decodeManifest(bytes);
    manifests.push(manifest);
    const { commitments: origin } = heldKeys(manifest);
    const commitments = one.commitments === null ? origin : splitPoints(fromBase64(one.commitments, 'commitments'));
    const field = `manifests.${i}`;
    if (manifest.holderSetId !== holderSetId)
      throw refuse('INVALID_ARGUMENT', { field, expected: 'of this holder set' });
    if (commitments.length !== dealings.length) {
      throw refuse('INVALID_ARGUMENT', { field: 'dealings', expected: `${commitments.length}, the threshold before` });
    }
    if (!equalBytes(commitments[0]!, origin[0]!)) {
      throw refuse('INVALID_ARGUMENT', { field: `${field}.commitments`, expected: 'to the secret of the manifest' });
    }
    return { manifestDigest: manifestDigest(bytes), commitments, isOrigin: one.commitments === null };
  });
  if (new Set(sources.map((source) => source.manifestDigest)).size !== sources.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'manifests', expected: 'each manifest once' });
  }
  return { manifests, sources };
}

function refused(
  { logger }: Holder,
  holderSetId: SubSharesRequest['holderSetId'],
  faults: readonly DealingFault[],
): SubSharesAnswer {
  for (const { dealer, reason } of faults) logger.warn('resharing.dealing_refused', { holderSetId, dealer, reason });
  return { ok: false, faults: [...faults] };
}

function resultOf(
  { madePolynomials }: Holder,
  of: Pick<ResharedPolynomial, 'holderSetId' | 'version'>,
  dealt: GoodDealing['entries'],
  made: readonly (readonly Uint8Array[])[],
): ReshareEntry[] {
  return dealt.map(({ manifestDigest: digest, from }, i) => {
    const commitments = made[i]!;
    const to = polynomialDigest({ ...of, manifestDigest: digest, commitments });
    madePolynomials.keep(to, concatBytes(...commitments));
    return { manifestDigest: digest, from, to };
  });
}

/** All or nothing, and durable when it resolves. */
async function store(
  holder: Holder,
  set: HolderSetView,
  { manifests, sources }: Batch,
  dealings: readonly GoodDealing[],
): Promise<void> {
  const { database, subShares, setVersions, clock } = holder;
  const { version: toVersion } = set;
  const rows: NewSubShare[] = [];
  for (const dealing of dealings) {
    for (const [i, { from, commitments }] of dealing.entries.entries()) {
      const { contributionId, datasetId, owner, holderSetId } = manifests[i]!;
      const { manifestDigest: digest } = sources[i]!;
      const key = { holderSetId, manifestDigest: digest, toVersion, from, dealerIndex: dealing.index };
      if (subShares.find(key) !== undefined) continue;
      rows.push({
        ...key,
        contributionId,
        datasetId,
        owner,
        secretCommitment: sources[i]!.commitments[0]!,
        commitments: concatBytes(...commitments),
        needed: dealings.length,
        subShare: dealing.subShares[i]!,
      });
    }
  }
  const storedAtMs = clock.nowMs();
  inTransaction(database, () => {
    setVersions.keep(set);
    for (const row of rows) {
      if (isErased(holder, row.contributionId)) throw refuse('TOMBSTONED', { contributionId: row.contributionId });
      // Another request may have been quicker since this one looked: the dealer must have said the same to both.
      const known = subShares.find(row);
      if (known !== undefined && !equalBytes(known.commitments, row.commitments)) {
        throw refuse('SHARE_INVALID', { index: String(row.dealerIndex), reason: 'the dealer has signed two dealings' });
      }
      subShares.insert(row, storedAtMs);
    }
  });
}
