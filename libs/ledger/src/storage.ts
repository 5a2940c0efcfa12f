import { asAmount, refuse, type AmountUnits, type ContributionId, type DaoId } from '@usufruct/kernel';
import type { AccountId } from './accounts.js';
import type { Posting } from './journal.js';

/**
 * The storage book of a lease keeper. A DAO pays in from its treasury, by vote; what it paid in and did not use is its
 * budget; what a lease cost is on the contribution's account. It is the keeper's own book: the chain knows only what
 * the treasury paid to the keeper's wallet.
 */
export const storageBudgetAccount = (daoId: DaoId): AccountId => `storage-budget:${daoId}` as AccountId;
/** Minus what was ever paid in: the counterpart of the budgets, as the issuance is of all money. */
export const storageFundsAccount = (daoId: DaoId): AccountId => `storage-funds:${daoId}` as AccountId;
export const storageCostAccount = (id: ContributionId): AccountId => `storage-cost:${id}` as AccountId;

export const storageFundingPostings = (daoId: DaoId, amountUnits: AmountUnits): Posting[] =>
  transfer(storageFundsAccount(daoId), storageBudgetAccount(daoId), amountUnits);

export const storageChargePostings = (
  daoId: DaoId,
  contributionId: ContributionId,
  amountUnits: AmountUnits,
): Posting[] => transfer(storageBudgetAccount(daoId), storageCostAccount(contributionId), amountUnits);

const MIB = 1_048_576n;

export interface StorageTariff {
  /** For each MiB that is begun, and each epoch. */
  readonly unitsPerMibEpoch: AmountUnits;
}

/** What a keeper charges for a blob: every MiB that is begun counts, as on Walrus. Refuses `INVALID_ARGUMENT`. */
export function storageChargeUnits(
  { unitsPerMibEpoch }: StorageTariff,
  { sizeBytes, epochs }: { readonly sizeBytes: number; readonly epochs: number },
): AmountUnits {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1) {
    throw refuse('INVALID_ARGUMENT', { field: 'sizeBytes', expected: 'a positive integer' });
  }
  if (!Number.isSafeInteger(epochs) || epochs < 0) {
    throw refuse('INVALID_ARGUMENT', { field: 'epochs', expected: 'a number of epochs' });
  }
  const mib = (BigInt(sizeBytes) + MIB - 1n) / MIB;
  return asAmount(mib * BigInt(epochs) * unitsPerMibEpoch, 'storage charge');
}

const transfer = (from: AccountId, to: AccountId, amountUnits: AmountUnits): Posting[] =>
  amountUnits === 0n
    ? []
    : [
        { account: from, deltaUnits: -amountUnits },
        { account: to, deltaUnits: amountUnits },
      ];
