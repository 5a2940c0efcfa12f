import {
  assertInvariant,
  concatBytes,
  fromHex,
  refuse,
  sumUnits,
  type Address,
  type AmountUnits,
  type ContributionId,
  type Weight,
} from '@usufruct/kernel';
import type { Payout, RevenueSplit } from '@usufruct/protocol';
import { allocate, splitByBasisPoints } from './allocate.js';

/** A contribution that a receipt used, with the owner who is paid for it. */
export interface PaidUse {
  readonly contributionId: ContributionId;
  readonly owner: Address;
  readonly weight: Weight;
}
export interface PayoutTerms {
  readonly priceUnits: AmountUnits;
  readonly split: RevenueSplit;
  readonly treasury: Address;
  readonly runner: Address;
  readonly protocol: Address;
}

/**
 * Who gets what of one receipt's price: four parts by the DAO's split, then the contributors' part by weight, ties by
 * the owner's address and then the contribution's id. One row per contribution, in the order given, then treasury,
 * runner, protocol; a row of zero is left out. The rows add up to the price exactly.
 *
 * Refuses `SPLIT_INVALID`, and `INVALID_ARGUMENT` for a price with nothing used or with no weight above zero.
 */
export function payoutsOf(terms: PayoutTerms, uses: readonly PaidUse[]): Payout[] {
  if (terms.priceUnits > 0n && !uses.some((use) => use.weight > 0n)) {
    throw refuse('INVALID_ARGUMENT', { field: 'uses', expected: 'a contribution with a weight above zero' });
  }
  const { pooledUnits, payouts } = privatePayoutsOf(terms);
  const paid = [...contributorPayouts(pooledUnits, uses), ...payouts].filter((row) => row.amountUnits > 0n);
  assertInvariant(sumUnits(paid.map((row) => row.amountUnits)) === terms.priceUnits, 'the payouts are the price');
  return paid;
}

export interface PrivatePayouts {
  /** The contributors' part, whose owners an epoch names later. */
  readonly pooledUnits: AmountUnits;
  /** Treasury, runner, protocol; a row of zero is left out. */
  readonly payouts: Payout[];
}

/** The same four parts for a receipt whose uses nobody sees. Refuses `SPLIT_INVALID`. */
export function privatePayoutsOf({ priceUnits, split, treasury, runner, protocol }: PayoutTerms): PrivatePayouts {
  const [pooledUnits, ...others] = partsOf(priceUnits, split);
  const rows: Payout[] = [
    { account: treasury, role: 'treasury', contributionId: null, amountUnits: others[0] },
    { account: runner, role: 'runner', contributionId: null, amountUnits: others[1] },
    { account: protocol, role: 'protocol', contributionId: null, amountUnits: others[2] },
  ];
  return { pooledUnits, payouts: rows.filter((row) => row.amountUnits > 0n) };
}

/**
 * Who gets what of a licence's price: the protocol its part of the split, the treasury the rest, by the same rule;
 * contributors are paid by use. A row of zero is left out. Refuses `SPLIT_INVALID`.
 */
export function licencePayoutsOf(terms: Omit<PayoutTerms, 'runner'>): Payout[] {
  const { priceUnits, split, treasury, protocol } = terms;
  const restBps = split.contributorsBps + split.treasuryBps + split.runnerBps;
  const [restUnits, protocolUnits] = splitByBasisPoints(priceUnits, [restBps, split.protocolBps]);
  const rows: Payout[] = [
    { account: treasury, role: 'treasury', contributionId: null, amountUnits: restUnits! },
    { account: protocol, role: 'protocol', contributionId: null, amountUnits: protocolUnits! },
  ];
  return rows.filter((row) => row.amountUnits > 0n);
}

/** The contributors' part of a price: what private settlement sets aside for it. */
export const contributorsPartOf = (priceUnits: AmountUnits, split: RevenueSplit): AmountUnits =>
  partsOf(priceUnits, split)[0];

/** The contributors' part by weight, one row per contribution in the order given, rows of zero included. */
export function contributorPayouts(partUnits: AmountUnits, uses: readonly PaidUse[]): Payout[] {
  const shares = uses.map(({ owner, contributionId, weight }) => ({
    weight,
    tieKey: concatBytes(fromHex(owner), fromHex(contributionId)),
  }));
  const amounts = allocate(partUnits, shares);
  return uses.map(({ owner, contributionId }, i) => ({
    account: owner,
    role: 'contributor' as const,
    contributionId,
    amountUnits: amounts[i]!,
  }));
}

type Parts = readonly [AmountUnits, AmountUnits, AmountUnits, AmountUnits];
function partsOf(priceUnits: AmountUnits, split: RevenueSplit): Parts {
  const { contributorsBps, treasuryBps, runnerBps, protocolBps } = split;
  const parts = splitByBasisPoints(priceUnits, [contributorsBps, treasuryBps, runnerBps, protocolBps]);
  return parts as [AmountUnits, AmountUnits, AmountUnits, AmountUnits];
}
