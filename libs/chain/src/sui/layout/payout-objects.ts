import type { DaoId, EpochId, HolderSetId, RunnerId } from '@usufruct/kernel';
import { account, digest, timeMs } from './common.js';
import { address, amount, bytes, count, option, struct, table, u128, u32, u8, uid, vector } from './move-types.js';
import { vault } from './money.js';

/** The objects of private payout as Sui stores them. */
export const signer = struct('signers::Signer', {
  kind: u8,
  public_keys: vector(bytes),
  pay_to: account,
  withdrawn_at_ms: option(timeMs),
});
export const signers = struct('signers::Signers', { signers: table('address', 'signers::Signer') });

export const poolMark = struct('receipt_pool::Mark', {
  receipt_chain: digest,
  pooled_units: u128,
  settled_at_ms: timeMs,
});
export const receiptPool = struct('receipt_pool::ReceiptPool<T0>', {
  held: vault,
  receipt_count: amount(),
  marks: table('u64', 'receipt_pool::Mark'),
  covered_receipts: amount(),
  epoch_count: amount(),
  attempts: table('u64', 'u32'),
  window_ends_at_ms: count(),
});

export const epochObject = struct('epoch::Epoch<T0>', {
  id: uid,
  version: count(),
  epoch_id: address<EpochId>(),
  dao_id: address<DaoId>(),
  number: amount(),
  attempt: u32,
  settler: address<RunnerId>(),
  from_receipt: amount(),
  root: digest,
  leaf_count: u32,
  held: vault,
  claimed: table('u64', 'u256'),
  state: u8,
  holder_set_id: address<HolderSetId>(),
  verifier_threshold: u8,
  objections: vector(account),
  challenge_ms: count(),
  challenge_ends_at_ms: timeMs,
  claim_term_ms: count(),
  unclaimed_to: u8,
});
