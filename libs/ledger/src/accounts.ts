import type { Address, Brand, JobId } from '@usufruct/kernel';

/** A name in the book: `wallet:0x…`, `escrow:0x…` or `issuance`. */
export type AccountId = Brand<string, 'AccountId'>;

export const walletAccount = (address: Address): AccountId => `wallet:${address}` as AccountId;
export const escrowAccount = (jobId: JobId): AccountId => `escrow:${jobId}` as AccountId;
/**
 * The counterpart of every unit that exists: minus the money in circulation. The only account that goes below zero,
 * and it never goes above.
 */
export const ISSUANCE_ACCOUNT = 'issuance' as AccountId;
