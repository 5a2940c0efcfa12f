/// A dataset: what a DAO's contributions belong to. Contributions and grants are dynamic fields of it, so that one
/// settlement reaches all that it needs through one shared object.
module usufruct::dataset;

use sui::clock::Clock;
use usufruct::{answer_rules::AnswerRules, checks, data_dao::Dao, digest, events, lifecycle_events};

/// The dataset belongs to another DAO.
const EWrongDao: u64 = 800;
/// The dataset is full.
const EDatasetFull: u64 = 801;
/// The dataset was retired for good.
const ETombstoned: u64 = 802;

const CONTRIBUTIONS_AT_MOST: u64 = 10_000;

public struct Dataset has key {
    id: UID,
    version: u64,
    dataset_id: address,
    dao_id: address,
    metadata_hash: address,
    contribution_count: u64,
    answer_rules: AnswerRules,
    /// By vote, for good: nothing new is done with it.
    tombstoned_at_ms: Option<u64>,
}

/// By a member of the DAO.
public fun create<T>(
    dao: &mut Dao<T>,
    salt: address,
    metadata_hash: address,
    answer_rules: AnswerRules,
    ctx: &mut TxContext,
) {
    dao.assert_open();
    dao.assert_member(ctx.sender());
    let dao_id = dao.dao_id();
    let dataset_id = digest::derive_id(b"dataset", dao_id.to_bytes(), ctx.sender(), salt);
    dao.take_id(dataset_id);
    let id = object::new(ctx);
    events::dataset_created(id.to_inner(), dataset_id, dao_id, metadata_hash, answer_rules);
    let version = checks::version();
    transfer::share_object(Dataset {
        id,
        version,
        dataset_id,
        dao_id,
        metadata_hash,
        contribution_count: 0,
        answer_rules,
        tombstoned_at_ms: option::none(),
    });
}

/// By a steward, from the next answer on. What was answered before stays.
public fun set_answer_rules<T>(
    self: &mut Dataset,
    dao: &Dao<T>,
    answer_rules: AnswerRules,
    ctx: &mut TxContext,
) {
    dao.assert_open();
    self.assert_of(dao);
    self.assert_living();
    dao.assert_steward(ctx.sender());
    self.answer_rules = answer_rules;
    lifecycle_events::answer_rules_set(self.dataset_id, self.dao_id, answer_rules);
}

public fun dataset_id(self: &Dataset): address {
    self.dataset_id
}

public fun dao_id(self: &Dataset): address {
    self.dao_id
}

public fun metadata_hash(self: &Dataset): address {
    self.metadata_hash
}

public fun contribution_count(self: &Dataset): u64 {
    self.contribution_count
}

public fun answer_rules(self: &Dataset): AnswerRules {
    self.answer_rules
}

/// Since when the dataset is retired, or none.
public fun tombstoned_at_ms(self: &Dataset): Option<u64> {
    self.tombstoned_at_ms
}

public(package) fun assert_version(self: &Dataset) {
    checks::assert_version(self.version);
}

public(package) fun assert_of<T>(self: &Dataset, dao: &Dao<T>) {
    self.assert_version();
    assert!(self.dao_id == dao.dao_id(), EWrongDao);
}

public(package) fun assert_living(self: &Dataset) {
    assert!(self.tombstoned_at_ms.is_none(), ETombstoned);
}

/// Not retired yet at `at_ms`: what was done before is paid.
public(package) fun assert_living_at(self: &Dataset, at_ms: u64) {
    let since = self.tombstoned_at_ms;
    assert!(since.is_none() || *since.borrow() > at_ms, ETombstoned);
}

/// The effect of a vote. No new contributions, grants and jobs, and holders release nothing of it; settling what was
/// answered before, closing, expiring and revoking go on.
public(package) fun tombstone(self: &mut Dataset, clock: &Clock) {
    self.assert_living();
    let at_ms = clock.timestamp_ms();
    self.tombstoned_at_ms = option::some(at_ms);
    lifecycle_events::dataset_tombstoned(self.dataset_id, self.dao_id, at_ms);
}

public(package) fun count_contribution(self: &mut Dataset) {
    assert!(self.contribution_count < CONTRIBUTIONS_AT_MOST, EDatasetFull);
    self.contribution_count = self.contribution_count + 1;
}

public(package) fun uid(self: &Dataset): &UID {
    &self.id
}

public(package) fun uid_mut(self: &mut Dataset): &mut UID {
    &mut self.id
}

#[test_only]
public(package) fun fill_for_testing(self: &mut Dataset) {
    self.contribution_count = CONTRIBUTIONS_AT_MOST;
}

#[test_only]
public(package) fun set_version_for_testing(self: &mut Dataset, version: u64) {
    self.version = version;
}
