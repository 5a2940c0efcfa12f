import { equalBytes, refuse, ZERO_UNITS, type Address, type ContributionId, type Digest } from '@usufruct/kernel';
import {
  decodeCanonical,
  decodeOpening,
  encodePaddedOpening,
  LIMITS,
  receiptDigest,
  UsageReceiptBcs,
  usesCommitment,
  type JobView,
  type Opening,
  type UsageReceipt,
} from '@usufruct/protocol';
import type { PrivateReceipt } from './epochs.js';

/** An opening that is one: its receipt is canonical, and its uses are those that the receipt commits to. */
export interface ReadOpening {
  readonly opening: Opening;
  readonly receipt: UsageReceipt;
  readonly digest: Digest;
}

/**
 * Read the bytes of an opening, padded as it is sealed. It proves that these uses are the ones in the receipt's
 * commitment, in their order and with a weight; not who signed it, nor that anybody allowed the uses. Refuses
 * `RECEIPT_INVALID` naming the check.
 */
export function readOpening(bytes: Uint8Array): ReadOpening {
  if (bytes.length !== LIMITS.openingBytes) throw invalid('size');
  const opening = canonical(bytes);
  if (opening === null) throw invalid('encoding');
  return requireOpening(opening);
}

/** The same for an opening that came as one of a list. */
export function requireOpening(opening: Opening): ReadOpening {
  const receipt = decodeCanonical(UsageReceiptBcs, opening.receipt, LIMITS.receiptBytes);
  if (receipt === null) throw invalid('encoding');
  const { uses, usesSalt } = opening;
  if (uses.length > LIMITS.usesPerReceipt) throw invalid('count');
  if (usesCommitment(usesSalt, uses) !== receipt.usesCommitment) throw invalid('uses');
  // Ids are lower-case hex of one length, so text order is byte order.
  if (uses.some((use, i) => i > 0 && uses[i - 1]!.contributionId >= use.contributionId)) throw invalid('order');
  if (uses.length > 0 && uses.every((use) => use.weight === 0n)) throw invalid('weights');
  return { opening, receipt, digest: receiptDigest(opening.receipt) };
}

/** A question that used nobody's data costs nothing, every other one the price of its job. */
export function requirePrice({ opening, receipt }: ReadOpening, job: Pick<JobView, 'pricePerQuestionUnits'>): void {
  const owed = opening.uses.length === 0 ? ZERO_UNITS : job.pricePerQuestionUnits;
  if (receipt.priceUnits !== owed) throw invalid('price');
}

/** What an epoch divides of this receipt, with the owners as the chain names them. Refuses `RECEIPT_INVALID`. */
export function privateReceiptOf(
  read: ReadOpening,
  job: Pick<JobView, 'pricePerQuestionUnits' | 'split'>,
  owners: ReadonlyMap<ContributionId, Address>,
): PrivateReceipt {
  requirePrice(read, job);
  const uses = read.opening.uses.map(({ contributionId, weight }) => {
    const owner = owners.get(contributionId);
    if (owner === undefined) throw invalid('owner');
    return { contributionId, weight, owner };
  });
  return { priceUnits: read.receipt.priceUnits, split: job.split, uses };
}

function canonical(bytes: Uint8Array): Opening | null {
  try {
    const opening = decodeOpening(bytes);
    return equalBytes(encodePaddedOpening(opening), bytes) ? opening : null;
  } catch {
    return null;
  }
}

const invalid = (check: string) => refuse('RECEIPT_INVALID', { check });
