/// Events of private payout, under the same rules as those of `events`.
module usufruct::payout_events;

use sui::event;
use usufruct::payout::Payout;

public struct SignerRegistered has copy, drop {
    signer_id: address,
    dao_id: address,
    /// 1 an MPC set, 2 an FHE host.
    signer_kind: u8,
    public_keys: vector<vector<u8>>,
    pay_to: address,
}

public struct SignerWithdrawn has copy, drop {
    dao_id: address,
    signer_id: address,
    withdrawn_at_ms: u64,
}

public struct RunnerWithdrawn has copy, drop {
    dao_id: address,
    runner_id: address,
}

public struct ReceiptSettledPrivately has copy, drop {
    job_id: address,
    question_id: address,
    dao_id: address,
    receipt_digest: address,
    price_units: u64,
    /// Treasury, runner and protocol; rows of zero are left out.
    payouts: vector<Payout>,
    pooled_units: u64,
    /// The receipt's place in the DAO's chain of receipts, from 1, and the chain up to it.
    receipt_number: u64,
    receipt_chain: address,
    questions_settled: u32,
    escrow_left_units: u64,
}

public struct EpochProposed has copy, drop {
    object: ID,
    epoch_id: address,
    dao_id: address,
    number: u64,
    attempt: u32,
    settler: address,
    from_receipt: u64,
    to_receipt: u64,
    total_units: u64,
    root: address,
    leaf_count: u32,
    proposed_at_ms: u64,
    challenge_ends_at_ms: u64,
    claim_term_ms: u64,
    /// 0 treasury, 1 protocol.
    unclaimed_to: u8,
}

public struct EpochObjected has copy, drop {
    epoch_id: address,
    /// Of a member of the holder set.
    operator: address,
    challenge_ends_at_ms: u64,
}

public struct EpochRejected has copy, drop {
    epoch_id: address,
    dao_id: address,
    /// Back in the pool.
    amount_units: u64,
}

public struct PayoutClaimed has copy, drop {
    epoch_id: address,
    dao_id: address,
    index: u32,
    account: address,
    amount_units: u64,
}

public struct EpochSwept has copy, drop {
    epoch_id: address,
    dao_id: address,
    /// 0 treasury, 1 protocol.
    unclaimed_to: u8,
    account: address,
    amount_units: u64,
}

public struct ReceiptsWrittenOff has copy, drop {
    dao_id: address,
    from_receipt: u64,
    to_receipt: u64,
    /// In the treasury.
    amount_units: u64,
}

public(package) fun signer_registered(
    signer_id: address,
    dao_id: address,
    signer_kind: u8,
    public_keys: vector<vector<u8>>,
    pay_to: address,
) {
    event::emit(SignerRegistered { signer_id, dao_id, signer_kind, public_keys, pay_to });
}

public(package) fun signer_withdrawn(dao_id: address, signer_id: address, withdrawn_at_ms: u64) {
    event::emit(SignerWithdrawn { dao_id, signer_id, withdrawn_at_ms });
}

public(package) fun runner_withdrawn(dao_id: address, runner_id: address) {
    event::emit(RunnerWithdrawn { dao_id, runner_id });
}

public(package) fun receipt_settled_privately(
    job_id: address,
    question_id: address,
    dao_id: address,
    receipt_digest: address,
    price_units: u64,
    payouts: vector<Payout>,
    pooled_units: u64,
    receipt_number: u64,
    receipt_chain: address,
    questions_settled: u32,
    escrow_left_units: u64,
) {
    event::emit(ReceiptSettledPrivately {
        job_id,
        question_id,
        dao_id,
        receipt_digest,
        price_units,
        payouts,
        pooled_units,
        receipt_number,
        receipt_chain,
        questions_settled,
        escrow_left_units,
    });
}

public(package) fun epoch_proposed(
    object: ID,
    epoch_id: address,
    dao_id: address,
    number: u64,
    attempt: u32,
    settler: address,
    from_receipt: u64,
    to_receipt: u64,
    total_units: u64,
    root: address,
    leaf_count: u32,
    proposed_at_ms: u64,
    challenge_ends_at_ms: u64,
    claim_term_ms: u64,
    unclaimed_to: u8,
) {
    event::emit(EpochProposed {
        object,
        epoch_id,
        dao_id,
        number,
        attempt,
        settler,
        from_receipt,
        to_receipt,
        total_units,
        root,
        leaf_count,
        proposed_at_ms,
        challenge_ends_at_ms,
        claim_term_ms,
        unclaimed_to,
    });
}

public(package) fun epoch_objected(
    epoch_id: address,
    operator: address,
    challenge_ends_at_ms: u64,
) {
    event::emit(EpochObjected { epoch_id, operator, challenge_ends_at_ms });
}

public(package) fun epoch_rejected(epoch_id: address, dao_id: address, amount_units: u64) {
    event::emit(EpochRejected { epoch_id, dao_id, amount_units });
}

public(package) fun payout_claimed(
    epoch_id: address,
    dao_id: address,
    index: u32,
    account: address,
    amount_units: u64,
) {
    event::emit(PayoutClaimed { epoch_id, dao_id, index, account, amount_units });
}

public(package) fun epoch_swept(
    epoch_id: address,
    dao_id: address,
    unclaimed_to: u8,
    account: address,
    amount_units: u64,
) {
    event::emit(EpochSwept { epoch_id, dao_id, unclaimed_to, account, amount_units });
}

public(package) fun receipts_written_off(
    dao_id: address,
    from_receipt: u64,
    to_receipt: u64,
    amount_units: u64,
) {
    event::emit(ReceiptsWrittenOff { dao_id, from_receipt, to_receipt, amount_units });
}
