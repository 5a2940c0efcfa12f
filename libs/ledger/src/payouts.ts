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
  const { contributorsBps, treasuryBps, runnerBps, protocolBps } = terms.split;
  const parts = splitByBasisPoints(terms.priceUnits, [contributorsBps, treasuryBps, runnerBps, protocolBps]);
  if (terms.priceUnits > 0n && !uses.some((use) => use.weight > 0n)) {
    throw refuse('INVALID_ARGUMENT', { field: 'uses', expected: 'a contribution with a weight above zero' });
  }
  const [contributors, treasury, runner, protocol] = parts as [AmountUnits, AmountUnits, AmountUnits, AmountUnits];
  const shares = uses.map(({ owner, contributionId, weight }) => ({
    weight,
    tieKey: concatBytes(fromHex(owner), fromHex(contributionId)),
  }));
  const amounts = allocate(contributors, shares);
  const rows: Payout[] = [
    ...uses.map(({ owner, contributionId }, i) => ({
      account: owner,
      role: 'contributor' as const,
      contributionId,
      amountUnits: amounts[i]!,
    })),
    { account: terms.treasury, role: 'treasury', contributionId: null, amountUnits: treasury },
    { account: terms.runner, role: 'runner', contributionId: null, amountUnits: runner },
    { account: terms.protocol, role: 'protocol', contributionId: null, amountUnits: protocol },
  ];
  const paid = rows.filter((row) => row.amountUnits > 0n);
  assertInvariant(sumUnits(paid.map((row) => row.amountUnits)) === terms.priceUnits, 'the payouts are the price');
  return paid;
}
