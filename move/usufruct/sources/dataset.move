/// A dataset: what a DAO's contributions belong to. Contributions and grants are dynamic fields of it, so that one
/// settlement reaches all that it needs through one shared object.
module usufruct::dataset;

use usufruct::{checks, data_dao::Dao, digest, events};

/// The dataset belongs to another DAO.
const EWrongDao: u64 = 800;
/// The dataset is full.
const EDatasetFull: u64 = 801;

const CONTRIBUTIONS_AT_MOST: u64 = 10_000;

public struct Dataset has key {
    id: UID,
    version: u64,
    dataset_id: address,
    dao_id: address,
    metadata_hash: address,
    contribution_count: u64,
}

/// By a member of the DAO.
public fun create<T>(dao: &mut Dao<T>, salt: address, metadata_hash: address, ctx: &mut TxContext) {
    dao.assert_open();
    dao.assert_member(ctx.sender());
    let dao_id = dao.dao_id();
    let dataset_id = digest::derive_id(b"dataset", dao_id.to_bytes(), ctx.sender(), salt);
    dao.take_id(dataset_id);
    let id = object::new(ctx);
    events::dataset_created(id.to_inner(), dataset_id, dao_id, metadata_hash);
    let version = checks::version();
    transfer::share_object(Dataset {
        id,
        version,
        dataset_id,
        dao_id,
        metadata_hash,
        contribution_count: 0,
    });
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

public(package) fun assert_version(self: &Dataset) {
    checks::assert_version(self.version);
}

public(package) fun assert_of<T>(self: &Dataset, dao: &Dao<T>) {
    self.assert_version();
    assert!(self.dao_id == dao.dao_id(), EWrongDao);
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
