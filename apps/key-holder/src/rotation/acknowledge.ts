import { setImmediate as nextTurn } from 'node:timers/promises';
import { combineCommitments, sign } from '@usufruct/crypto';
import { concatBytes, refuse, toBase64 } from '@usufruct/kernel';
import {
  encodeReshareResult,
  livingMembers,
  polynomialDigest,
  reshareQuorum,
  splitPoints,
  TAGS,
  type Acknowledgement,
  type AcknowledgeRequest,
  type ReshareEntry,
} from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { MANIFESTS_PER_TURN } from './deal.js';
import { knownVersion, requireRegistered } from './set-version.js';
import type { StoredSubShare } from './sub-share-store.js';

/**
 * Sign again that this holder has what makes its shares: from the sub-shares that it has stored, without their dealers,
 * who may be gone by now. For the version that is, or for one that is past: what was received for it is as good as it
 * was, and may be all that is left where old shares were destroyed and the set was rotated before every member had been
 * shown that it may use its own.
 *
 * Refuses `POLICY_OUTDATED` (a version that this holder received nothing for), `FORBIDDEN` (no member of it), `NOT_FOUND`
 * (a sub-share that it has not), `TOMBSTONED`, `MANIFEST_MISMATCH`, `SHARE_INVALID`, `INVALID_ARGUMENT`.
 */
export async function acknowledge(holder: Holder, request: AcknowledgeRequest): Promise<Acknowledgement> {
  const { holderSetId, toVersion, dealers } = request;
  const { set, chainId, member } = await knownVersion(holder, holderSetId, toVersion);
  if (member === null) throw refuse('FORBIDDEN', { holderSetId, reason: 'this holder is not a member of the version' });
  requireInOrder(request);
  const parts = request.entries.map((entry) => partsOf(holder, request, entry));
  await requireRegistered(
    holder,
    parts.map(([first]) => first!),
  );
  const entries: ReshareEntry[] = [];
  for (const [i, those] of parts.entries()) {
    if (i % MANIFESTS_PER_TURN === 0) await nextTurn();
    entries.push(entryOf(holder, toVersion, those));
  }
  const result = encodeReshareResult({ chainId, holderSetId, toVersion, dealers, entries });
  const { secretKey } = holder.keys.signing;
  const signature = await sign({ secretKey, domainTag: TAGS.reshareResult, message: result });
  const needed = reshareQuorum(livingMembers(set).length, set.threshold);
  return { result: toBase64(result), signature: toBase64(signature), member, needed };
}

function requireInOrder({ dealers, entries }: AcknowledgeRequest): void {
  if (!dealers.every((dealer, i) => i === 0 || dealers[i - 1]! < dealer)) {
    throw refuse('INVALID_ARGUMENT', { field: 'dealers', expected: 'ascending' });
  }
  if (new Set(entries.map(({ manifestDigest }) => manifestDigest)).size !== entries.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'entries', expected: 'each manifest once' });
  }
}

function partsOf(
  { subShares }: Holder,
  { holderSetId, toVersion, dealers }: AcknowledgeRequest,
  { manifestDigest, from }: AcknowledgeRequest['entries'][number],
): StoredSubShare[] {
  return dealers.map((dealerIndex) => {
    const part = subShares.find({ holderSetId, manifestDigest, toVersion, from, dealerIndex });
    if (part === undefined) throw refuse('NOT_FOUND', { manifestDigest, dealer: String(dealerIndex) });
    if (part.needed !== dealers.length) {
      throw refuse('INVALID_ARGUMENT', { field: 'dealers', expected: `${part.needed}, the threshold before` });
    }
    return part;
  });
}

function entryOf({ madePolynomials }: Holder, version: number, parts: readonly StoredSubShare[]): ReshareEntry {
  const { manifestDigest, holderSetId, from, secretCommitment } = parts[0]!;
  const dealings = parts.map(({ dealerIndex, commitments }) => ({
    dealerIndex,
    commitments: splitPoints(commitments),
  }));
  const commitments = combineCommitments(dealings, secretCommitment);
  const to = polynomialDigest({ manifestDigest, holderSetId, version, commitments });
  madePolynomials.keep(to, concatBytes(...commitments));
  return { manifestDigest, from, to };
}
