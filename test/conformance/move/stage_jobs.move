#[test_only]
/// The stage's jobs, receipts and private payout.
module usufruct::stage_jobs;

use std::string;
use sui::test_scenario as ts;
use usufruct::{
    data_dao::Dao,
    dataset::Dataset,
    epoch::{Self, Epoch},
    holder_set::HolderSet,
    job::{Self, Job},
    stage::{Stage, COIN},
    usage_receipt
};

public fun fund_job(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    dataset_id: address,
    id: address,
    salt: address,
    purpose: vector<u8>,
    kind: u8,
    protection: u8,
    policy_version: u32,
    price_units: u64,
    max_questions: u32,
    term_ms: u64,
    client_key: vector<u8>,
    payment_units: u64,
) {
    let payment = s.purse(sender, payment_units);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let dataset: Dataset = s.take(dataset_id);
    let (scenario, clock) = s.parts();
    job::fund(
        &mut dao,
        &dataset,
        salt,
        string::utf8(purpose),
        kind,
        protection,
        policy_version,
        price_units,
        max_questions,
        term_ms,
        client_key,
        payment,
        clock,
        scenario.ctx(),
    );
    ts::return_shared(dataset);
    ts::return_shared(dao);
    s.remember<Job<COIN>>(sender, id);
}

public fun settle_receipt(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    dataset_id: address,
    job_id: address,
    receipt: vector<u8>,
    signature: vector<u8>,
    uses_salt: address,
    contribution_ids: vector<address>,
    grant_ids: vector<address>,
    weights: vector<u64>,
) {
    s.next_tx(sender);
    let registry = s.take_registry();
    let mut dao: Dao<COIN> = s.take(dao_id);
    let mut dataset: Dataset = s.take(dataset_id);
    let mut job: Job<COIN> = s.take(job_id);
    let (scenario, clock) = s.parts();
    usage_receipt::settle(
        &mut job,
        &mut dao,
        &mut dataset,
        &registry,
        receipt,
        signature,
        uses_salt,
        contribution_ids,
        grant_ids,
        weights,
        clock,
        scenario.ctx(),
    );
    ts::return_shared(job);
    ts::return_shared(dataset);
    ts::return_shared(dao);
    ts::return_shared(registry);
}

public fun close_job(s: &mut Stage, sender: address, id: address) {
    s.next_tx(sender);
    let mut job: Job<COIN> = s.take(id);
    job.close(s.ctx());
    ts::return_shared(job);
}

public fun expire_job(s: &mut Stage, sender: address, id: address) {
    s.next_tx(sender);
    let mut job: Job<COIN> = s.take(id);
    let (scenario, clock) = s.parts();
    job.expire(clock, scenario.ctx());
    ts::return_shared(job);
}

public fun settle_privately(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    dataset_id: address,
    job_id: address,
    holder_set_id: address,
    receipt: vector<u8>,
    signature: vector<u8>,
    members: vector<u8>,
    acknowledgements: vector<vector<u8>>,
) {
    s.next_tx(sender);
    let registry = s.take_registry();
    let set: HolderSet = s.take(holder_set_id);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let dataset: Dataset = s.take(dataset_id);
    let mut job: Job<COIN> = s.take(job_id);
    let (scenario, clock) = s.parts();
    usage_receipt::settle_privately(
        &mut job,
        &mut dao,
        &dataset,
        &registry,
        &set,
        receipt,
        signature,
        members,
        acknowledgements,
        clock,
        scenario.ctx(),
    );
    ts::return_shared(job);
    ts::return_shared(dataset);
    ts::return_shared(dao);
    ts::return_shared(set);
    ts::return_shared(registry);
}

public fun propose_epoch(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    holder_set_id: address,
    id: address,
    statement: vector<u8>,
    settler_signature: vector<u8>,
    members: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    s.next_tx(sender);
    let registry = s.take_registry();
    let mut dao: Dao<COIN> = s.take(dao_id);
    let set: HolderSet = s.take(holder_set_id);
    let (scenario, clock) = s.parts();
    epoch::propose(
        &mut dao,
        &registry,
        &set,
        statement,
        settler_signature,
        members,
        signatures,
        clock,
        scenario.ctx(),
    );
    ts::return_shared(set);
    ts::return_shared(dao);
    ts::return_shared(registry);
    s.remember<Epoch<COIN>>(sender, id);
}

public fun object_to_epoch(
    s: &mut Stage,
    sender: address,
    id: address,
    dao_id: address,
    holder_set_id: address,
    member: u8,
) {
    s.next_tx(sender);
    let mut epoch: Epoch<COIN> = s.take(id);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let set: HolderSet = s.take(holder_set_id);
    let (scenario, clock) = s.parts();
    epoch.object(&mut dao, &set, member, clock, scenario.ctx());
    ts::return_shared(set);
    ts::return_shared(dao);
    ts::return_shared(epoch);
}

public fun prove_equivocation(
    s: &mut Stage,
    sender: address,
    id: address,
    dao_id: address,
    statement: vector<u8>,
    settler_signature: vector<u8>,
) {
    s.next_tx(sender);
    let registry = s.take_registry();
    let mut epoch: Epoch<COIN> = s.take(id);
    let mut dao: Dao<COIN> = s.take(dao_id);
    epoch.prove_equivocation(&mut dao, &registry, statement, settler_signature, s.clock());
    ts::return_shared(dao);
    ts::return_shared(epoch);
    ts::return_shared(registry);
}

public fun claim_payout(
    s: &mut Stage,
    sender: address,
    id: address,
    dao_id: address,
    index: u32,
    account: address,
    amount_units: u64,
    salt: address,
    proof: vector<address>,
) {
    s.next_tx(sender);
    let mut epoch: Epoch<COIN> = s.take(id);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let (scenario, clock) = s.parts();
    let ctx = scenario.ctx();
    epoch.claim(&mut dao, index, account, amount_units, salt, proof, clock, ctx);
    ts::return_shared(dao);
    ts::return_shared(epoch);
}

public fun sweep_epoch(s: &mut Stage, sender: address, id: address, dao_id: address) {
    s.next_tx(sender);
    let registry = s.take_registry();
    let mut epoch: Epoch<COIN> = s.take(id);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let (scenario, clock) = s.parts();
    epoch.sweep(&mut dao, &registry, clock, scenario.ctx());
    ts::return_shared(dao);
    ts::return_shared(epoch);
    ts::return_shared(registry);
}
