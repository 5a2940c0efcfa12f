import type { ChainActionKind } from '@usufruct/protocol';
import type { Edit } from './verdicts.js';

/** A contract that is wrong in one place. */
export interface BrokenContract extends Edit {
  readonly name: string;
  /** The action that comes out wrong. */
  readonly kind: ChainActionKind;
  /** The refusal that is missing, or is there when it should not be. */
  readonly refusal?: string;
  /** The twist that meets it, where others meet the same refusal for another reason. */
  readonly twist?: string;
}

export const BROKEN_CONTRACTS: readonly BrokenContract[] = [
  {
    name: 'the unit that is left goes to the smallest remainder',
    file: 'sources/payout.move',
    from: 'else remainders[i] > remainders[best];',
    to: 'else remainders[i] < remainders[best] && remainders[i] > 0;',
    kind: 'settleReceipt',
  },
  {
    name: 'treasury and protocol are paid in each other’s place',
    file: 'sources/disbursement.move',
    from: 'payout::to_protocol(protocol, parts[3])',
    to: 'payout::to_protocol(protocol, parts[1])',
    kind: 'settleReceipt',
  },
  {
    name: 'anybody revokes a grant',
    file: 'sources/grant.move',
    from: 'assert!(ctx.sender() == grant.grantor, EWrongOwner);',
    to: 'assert!(ctx.sender() == grant.grantor || true, EWrongOwner);',
    kind: 'revokeGrant',
    refusal: 'WRONG_WALLET',
  },
  {
    name: 'any member sets the policy',
    file: 'sources/data_dao.move',
    from: 'self.assert_role(membership::policy_maker(), ctx.sender());',
    to: 'self.assert_role(membership::policy_maker(), self.founder);',
    kind: 'setPolicy',
    refusal: 'FORBIDDEN policyMaker',
  },
  {
    name: 'a job expires a millisecond late',
    file: 'sources/job.move',
    from: 'clock.timestamp_ms() >= self.expires_at_ms',
    to: 'clock.timestamp_ms() > self.expires_at_ms',
    kind: 'expireJob',
  },
  {
    name: 'the refund is lost',
    file: 'sources/job.move',
    from: 'transfer::public_transfer(refund, self.requester);',
    to: 'transfer::public_transfer(refund, @0x0);',
    kind: 'closeJob',
  },
  {
    name: 'a receipt is believed without its signature',
    file: 'sources/usage_receipt.move',
    from: 'ed25519::ed25519_verify(&signature, &keys[i], message)',
    to: 'ed25519::ed25519_verify(&signature, &keys[i], message) || true',
    kind: 'settleReceipt',
    refusal: 'RECEIPT_INVALID signature',
  },
  {
    name: 'a stale receipt is paid',
    file: 'sources/usage_receipt.move',
    from: 'const FRESHNESS_MS: u64 = 1_800_000;',
    to: 'const FRESHNESS_MS: u64 = 3_800_000;',
    kind: 'settleReceipt',
    refusal: 'RECEIPT_INVALID freshness',
  },
  {
    name: 'one verifier signs twice',
    file: 'sources/runner_registry.move',
    from: 'assert!(members[i] != members[j], EVerifiers);',
    to: 'assert!(members[i] != members[j] || true, EVerifiers);',
    kind: 'registerRunner',
    refusal: 'INVALID_ARGUMENT signatures',
  },
  {
    name: 'who is accepted does not become a member',
    file: 'sources/contribution.move',
    from: 'if (accept) dao.add_member(owner);',
    to: 'if (!accept) dao.add_member(owner);',
    kind: 'decideContribution',
  },
  {
    name: 'strangers vote',
    file: 'sources/proposal.move',
    from: 'assert!(dao.is_member(voter) && dao.ordinal_of(voter) < self.member_count, ENoVote);',
    to: 'assert!(dao.is_member(voter) || true, ENoVote);',
    kind: 'vote',
    refusal: 'NO_VOTE',
  },
  {
    name: 'a proposal is executed before its timelock has passed',
    file: 'sources/proposal.move',
    from: 'assert!(now_ms >= self.executable_from_ms, ETimelocked);',
    to: 'assert!(now_ms >= self.executable_from_ms || true, ETimelocked);',
    kind: 'executeProposal',
    refusal: 'PROPOSAL_STATE timelocked',
  },
  {
    name: 'a payout is claimed twice',
    file: 'sources/epoch.move',
    from: 'assert!(!self.is_claimed(index), EClaimed);',
    to: 'assert!(!self.is_claimed(index) || true, EClaimed);',
    kind: 'claimPayout',
    refusal: 'ALREADY_CLAIMED',
  },
  {
    name: 'a lease is made shorter',
    file: 'sources/blob_reference.move',
    from: 'assert!(end_epoch > self.end_epoch, ELeaseShorter);',
    to: 'assert!(end_epoch > self.end_epoch || true, ELeaseShorter);',
    kind: 'renewLease',
    refusal: 'INVALID_ARGUMENT renewals.N.endEpoch',
  },
  {
    name: 'a licence is sold at another price',
    file: 'sources/licence.move',
    from: 'assert!(payment.value() == terms.price_units(), EWrongPayment);',
    to: 'assert!(payment.value() == terms.price_units() || true, EWrongPayment);',
    kind: 'buyLicence',
    refusal: 'INVALID_ARGUMENT priceUnits',
  },
  {
    name: 'the signature of a retired holder counts',
    file: 'sources/holder_set.move',
    from: 'assert!(!self.is_tombstoned(key), EHolderTombstoned);',
    to: 'assert!(!self.is_tombstoned(key) || true, EHolderTombstoned);',
    kind: 'rotateHolderSet',
    refusal: 'TOMBSTONED holder',
  },
  {
    name: 'two of the three parties of a set are enough',
    file: 'sources/usage_receipt.move',
    from: 'if (signatures.length() != keys.length() * SIGNATURE_BYTES) return false;\n    let mut i = 0;\n    while (i < keys.length()) {',
    to: 'if (signatures.length() < SIGNATURE_BYTES) return false;\n    let mut i = 0;\n    while (i < keys.length() && i < 2) {',
    kind: 'settleReceipt',
    refusal: 'RECEIPT_INVALID signature',
    twist: 'a party missing',
  },
  {
    name: 'a set signs on after it was withdrawn',
    file: 'sources/signers.move',
    from: 'assert!(signer.withdrawn_at_ms.is_none(), EWithdrawn);',
    to: 'assert!(signer.withdrawn_at_ms.is_none() || true, EWithdrawn);',
    kind: 'settlePrivately',
    refusal: 'RUNNER_NOT_REGISTERED withdrawn',
    twist: 'withdrawn set',
  },
  {
    name: 'an answer of a retired dataset is paid',
    file: 'sources/usage_receipt.move',
    from: 'dataset.assert_living_at(receipt.issued_at_ms);',
    to: 'dataset.assert_living_at(0);',
    kind: 'settleReceipt',
    refusal: 'TOMBSTONED dataset',
  },
  {
    name: 'a DAO retires the dataset of another',
    file: 'sources/effect.move',
    from: 'dataset.assert_of(dao);',
    to: 'dataset.assert_version();',
    kind: 'executeProposal',
    refusal: 'DATASET_MISMATCH',
  },
];
