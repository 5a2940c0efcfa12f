/// Settlement: a signed receipt pays for one question out of its job's escrow, in the mode of the job. Anybody may send
/// it: the receipt says who signed, the chain who is paid. Each question is paid once, whatever is sent how often.
module usufruct::usage_receipt;

use std::{bcs as std_bcs, string::{Self, String}};
use sui::{bcs, clock::Clock, ed25519};
use usufruct::{
    checks,
    contribution,
    data_dao::Dao,
    data_use::{Self, Use},
    dataset::Dataset,
    digest,
    disbursement,
    domain_tags,
    events,
    grant,
    holder_set::HolderSet,
    job::Job,
    opening_ack,
    payout_events,
    registry::{Self, Registry}
};

/// The receipt is too long, or is not the canonical serialisation of one.
const EReceiptMalformed: u64 = 1300;
/// The receipt is for another chain, package or registry.
const EReceiptElsewhere: u64 = 1301;
/// The receipt is for another job.
const EWrongJob: u64 = 1302;
/// The receipt is from the future, or older than the job.
const EReceiptTime: u64 = 1303;
/// The receipt was issued too long ago.
const EReceiptStale: u64 = 1304;
/// The kind of signer is not the one that the job's protection demands.
const ESignerKind: u64 = 1305;
/// The signature does not verify.
const EReceiptSignature: u64 = 1306;
/// The price is not the job's, or something is charged for a question that used nobody's data.
const EPrice: u64 = 1307;
/// The job pays its contributors in the other mode.
const EPayoutMode: u64 = 1308;

const RECEIPT_AT_MOST_BYTES: u64 = 2_048;
const FRESHNESS_MS: u64 = 1_800_000;
const SIGNER_TEE: u8 = 0;
const DIRECT: u8 = 0;
const EPOCH: u8 = 1;
const SIGNATURE_BYTES: u64 = 64;

/// What a runner signs, in the order of the protocol library's `UsageReceiptBcs`.
public struct UsageReceipt has copy, drop {
    chain_id: String,
    package_id: address,
    registry_id: address,
    job_id: address,
    question_id: address,
    signer_kind: u8,
    signer_public_key: vector<u8>,
    evidence_digest: address,
    code_hash: address,
    model_hash: address,
    attribution_method: String,
    uses_commitment: address,
    result_commitment: address,
    budget_spent_micro_epsilon: u64,
    price_units: u64,
    issued_at_ms: u64,
}

/// Use `i` is `contribution_ids[i]`, `grant_ids[i]` and `weights[i]`; with `uses_salt` they open the receipt's
/// commitment. The grants are judged at the time that the receipt was issued.
public fun settle<T>(
    job: &mut Job<T>,
    dao: &mut Dao<T>,
    dataset: &mut Dataset,
    registry: &Registry,
    receipt_bytes: vector<u8>,
    signature: vector<u8>,
    uses_salt: address,
    contribution_ids: vector<address>,
    grant_ids: vector<address>,
    weights: vector<u64>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let now_ms = clock.timestamp_ms();
    let (receipt, payee) = verified(
        job,
        dao,
        dataset,
        registry,
        receipt_bytes,
        signature,
        now_ms,
        DIRECT,
    );
    let uses = data_use::open(
        receipt.uses_commitment,
        uses_salt,
        &contribution_ids,
        &grant_ids,
        &weights,
    );
    let owners = owners_of(dataset, job, &receipt, &uses);
    let owed = if (uses.is_empty()) 0 else job.price_per_question_units();
    assert!(receipt.price_units == owed, EPrice);

    let receipt_digest = digest::tagged(domain_tags::receipt(), vector[receipt_bytes]);
    let split = job.split();
    let payouts = disbursement::pay(
        job.consume(receipt.question_id, receipt_digest),
        dao,
        &split,
        receipt.price_units,
        &contribution_ids,
        &owners,
        &weights,
        payee,
        registry.protocol_account(),
        ctx,
    );
    events::receipt_settled(
        receipt.job_id,
        receipt.question_id,
        receipt_digest,
        receipt.price_units,
        uses,
        payouts,
        job.questions_settled(),
        job.escrow_units(),
    );
    job.close_if_complete(ctx);
}

/// Epoch mode: treasury, runner and protocol are paid, the contributors' part is set aside, and nobody sees the uses.
/// So nobody here checks grants or spends their budgets either: that is for the settler and the holders who countersign
/// the epoch that divides the part. That they can, they say beforehand: acknowledgement `i` is by the member of index
/// `members[i]` of the holder set that the policy names, over an `OpeningAck` of this receipt.
public fun settle_privately<T>(
    job: &mut Job<T>,
    dao: &mut Dao<T>,
    dataset: &Dataset,
    registry: &Registry,
    holder_set: &HolderSet,
    receipt_bytes: vector<u8>,
    signature: vector<u8>,
    members: vector<u8>,
    acknowledgements: vector<vector<u8>>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let now_ms = clock.timestamp_ms();
    let (receipt, payee) = verified(
        job,
        dao,
        dataset,
        registry,
        receipt_bytes,
        signature,
        now_ms,
        EPOCH,
    );
    let price_units = receipt.price_units;
    assert!(price_units == 0 || price_units == job.price_per_question_units(), EPrice);
    opening_ack::assert_acknowledged(
        dao,
        registry,
        holder_set,
        receipt_bytes,
        members,
        acknowledgements,
    );

    let receipt_digest = digest::tagged(domain_tags::receipt(), vector[receipt_bytes]);
    let split = job.split();
    let (payouts, pooled) = disbursement::pay_privately(
        job.consume(receipt.question_id, receipt_digest),
        dao,
        &split,
        price_units,
        payee,
        registry.protocol_account(),
        ctx,
    );
    let pooled_units = pooled.value();
    let receipt_number = dao.receipt_pool_mut().add(receipt_digest, pooled, now_ms);
    payout_events::receipt_settled_privately(
        receipt.job_id,
        receipt.question_id,
        dao.dao_id(),
        receipt_digest,
        price_units,
        payouts,
        pooled_units,
        receipt_number,
        dao.receipt_pool().receipt_chain_at(receipt_number),
        job.questions_settled(),
        job.escrow_units(),
    );
    job.close_if_complete(ctx);
}

/// The receipt, and who gets the runner's part, once everything is found good that does not need its uses.
fun verified<T>(
    job: &Job<T>,
    dao: &Dao<T>,
    dataset: &Dataset,
    registry: &Registry,
    bytes: vector<u8>,
    signature: vector<u8>,
    now_ms: u64,
    payout_mode: u8,
): (UsageReceipt, address) {
    dao.assert_open();
    registry.assert_version();
    dataset.assert_of(dao);
    job.assert_of(dao, dataset);
    let receipt = decode(bytes);
    assert_here(&receipt, registry);
    assert!(receipt.job_id == job.job_id(), EWrongJob);
    job.assert_not_consumed(receipt.question_id);
    job.assert_funded();
    assert!(job.payout_mode() == payout_mode, EPayoutMode);
    assert_timely(&receipt, job, now_ms);
    dataset.assert_living_at(receipt.issued_at_ms);
    let (keys, payee) = signer_of(&receipt, job, dao);
    let message = digest::signed_message(domain_tags::receipt(), bytes);
    assert!(is_signed_by_all(&keys, &message, &signature), EReceiptSignature);
    (receipt, payee)
}

/// Keys and payee of a signer of the kind that the job's protection demands: the codes of both are the same.
fun signer_of<T>(
    receipt: &UsageReceipt,
    job: &Job<T>,
    dao: &Dao<T>,
): (vector<vector<u8>>, address) {
    let (kind, key) = (receipt.signer_kind, receipt.signer_public_key);
    assert!(kind == job.protection(), ESignerKind);
    if (kind == SIGNER_TEE) {
        let runner = dao.active_runner(digest::runner_id(key), receipt.issued_at_ms);
        (vector[key], runner.pay_to())
    } else {
        let signer = dao.signers().active(kind, key);
        (*signer.public_keys(), signer.pay_to())
    }
}

/// Signatures of 64 bytes, one after the other in the order of the keys.
fun is_signed_by_all(
    keys: &vector<vector<u8>>,
    message: &vector<u8>,
    signatures: &vector<u8>,
): bool {
    if (signatures.length() != keys.length() * SIGNATURE_BYTES) return false;
    let mut i = 0;
    while (i < keys.length()) {
        let signature = slice(signatures, i * SIGNATURE_BYTES);
        if (!ed25519::ed25519_verify(&signature, &keys[i], message)) return false;
        i = i + 1;
    };
    true
}

/// The signature that begins at this byte.
fun slice(signatures: &vector<u8>, from: u64): vector<u8> {
    let mut signature = vector[];
    let mut i = from;
    while (i < from + SIGNATURE_BYTES) {
        signature.push_back(signatures[i]);
        i = i + 1;
    };
    signature
}

fun assert_here(receipt: &UsageReceipt, registry: &Registry) {
    let here =
        &receipt.chain_id == registry.chain_id()
        && receipt.package_id == registry::package_id()
        && receipt.registry_id == object::id_address(registry);
    assert!(here, EReceiptElsewhere);
}

/// Issued within the job's term; settled within the freshness term, which may end after the job's term as long as
/// nobody has closed the job: a chain that was away for minutes must not cost the contributors their pay.
fun assert_timely<T>(receipt: &UsageReceipt, job: &Job<T>, now_ms: u64) {
    let issued_at_ms = receipt.issued_at_ms;
    assert!(issued_at_ms <= now_ms + checks::clock_skew_ms(), EReceiptTime);
    assert!(issued_at_ms + checks::clock_skew_ms() >= job.funded_at_ms(), EReceiptTime);
    assert!(issued_at_ms + FRESHNESS_MS >= now_ms, EReceiptStale);
    job.assert_running_at(issued_at_ms);
}

/// The owner to pay for each use, once every contribution and grant is found to cover this job.
fun owners_of<T>(
    dataset: &mut Dataset,
    job: &Job<T>,
    receipt: &UsageReceipt,
    uses: &vector<Use>,
): vector<address> {
    let mut owners = vector[];
    let mut i = 0;
    while (i < uses.length()) {
        let (contribution_id, grant_id) = (uses[i].contribution_id(), uses[i].grant_id());
        grant::assert_covers(dataset, job, contribution_id, grant_id, receipt.issued_at_ms);
        grant::spend_budget(dataset, grant_id, receipt.budget_spent_micro_epsilon);
        owners.push_back(contribution::borrow(dataset, contribution_id).owner());
        i = i + 1;
    };
    owners
}

fun decode(bytes: vector<u8>): UsageReceipt {
    assert!(bytes.length() <= RECEIPT_AT_MOST_BYTES, EReceiptMalformed);
    let mut reader = bcs::new(bytes);
    let receipt = UsageReceipt {
        chain_id: text(reader.peel_vec_u8()),
        package_id: reader.peel_address(),
        registry_id: reader.peel_address(),
        job_id: reader.peel_address(),
        question_id: reader.peel_address(),
        // The variant of a fieldless enum: one byte, as long as there are fewer than 128 of them.
        signer_kind: reader.peel_u8(),
        signer_public_key: reader.peel_vec_u8(),
        evidence_digest: reader.peel_address(),
        code_hash: reader.peel_address(),
        model_hash: reader.peel_address(),
        attribution_method: text(reader.peel_vec_u8()),
        uses_commitment: reader.peel_address(),
        result_commitment: reader.peel_address(),
        budget_spent_micro_epsilon: reader.peel_u64(),
        price_units: reader.peel_u64(),
        issued_at_ms: reader.peel_u64(),
    };
    // One meaning has one serialisation: trailing bytes and over-long lengths do not survive writing it again.
    assert!(std_bcs::to_bytes(&receipt) == bytes, EReceiptMalformed);
    receipt
}

fun text(bytes: vector<u8>): String {
    let text = string::try_utf8(bytes);
    assert!(text.is_some(), EReceiptMalformed);
    text.destroy_some()
}
