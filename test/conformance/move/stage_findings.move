#[test_only]
/// The stage's assertions about what the scenario left behind.
module usufruct::stage_findings;

use sui::{coin::Coin, test_scenario as ts};
use usufruct::{
    answer_rules::AnswerRules,
    contribution::{Self, Contribution},
    data_dao::Dao,
    dataset::Dataset,
    epoch::Epoch,
    grant,
    holder_set::HolderSet,
    job::Job,
    licence::{Self, Licence},
    proposal::Proposal,
    stage::{Stage, COIN}
};

/// A wallet holds something else.
const EWallet: u64 = 9001;
/// A treasury holds something else.
const ETreasury: u64 = 9002;
/// Another policy, or another version of it.
const EPolicy: u64 = 9003;
/// Somebody is a member who should not be, or the other way round.
const EMember: u64 = 9004;
/// A member has other roles.
const ERoles: u64 = 9013;
/// A member was paid something else.
const EEarned: u64 = 9014;
/// A DAO is paused that should not be, or the other way round.
const EPause: u64 = 9015;
/// There are more or fewer proposals, or one was executed or not.
const EProposal: u64 = 9016;
/// Something else was voted.
const EVotes: u64 = 9017;
/// Something else is set aside, or covered by epochs.
const EPool: u64 = 9018;
/// An epoch is in another state, holds something else, or another leaf of it was paid.
const EEpoch: u64 = 9019;
/// A runner is paid elsewhere.
const ERunner: u64 = 9005;
/// A dataset has more or fewer contributions, or one of another owner or in another state.
const EContribution: u64 = 9006;
/// A lease of a contribution's blob ends with another epoch.
const ELease: u64 = 9020;
/// An offer of licences stands that should not, or the other way round.
const EOffer: u64 = 9021;
/// Somebody has no such licence, or it is another one.
const ELicence: u64 = 9022;
/// A holder set is of another version, or has other numbers of members or signers.
const EHolderSet: u64 = 9023;
/// A dataset was retired at another time, or not.
const EDataset: u64 = 9024;
/// A signer is paid elsewhere.
const ESigner: u64 = 9025;
/// A grant was revoked at another time, or not.
const EGrant: u64 = 9007;
/// Something else is spent of a grant's budget.
const EBudget: u64 = 9008;
/// A job is in another state, or ends at another time.
const EJob: u64 = 9009;
/// A job's escrow holds something else.
const EEscrow: u64 = 9010;
/// More or fewer questions are settled, or others.
const EQuestion: u64 = 9011;
/// Another tree head is anchored, or none.
const EHead: u64 = 9012;

public fun assert_wallet(s: &Stage, account: address, units: u64) {
    let ids = ts::ids_for_address<Coin<COIN>>(account);
    let mut held = 0;
    let mut i = 0;
    while (i < ids.length()) {
        let coin = s.scenario().take_from_address_by_id<Coin<COIN>>(account, ids[i]);
        held = held + coin.value();
        ts::return_to_address(account, coin);
        i = i + 1;
    };
    assert!(held == units, EWallet);
}

/// Member `i` has `roles[i]` and was paid `earned_units[i]`; there are no others. Runner `j` is registered until after
/// `last_ms[j]` and paid at `pay_to[j]`.
public fun assert_dao(
    s: &Stage,
    id: address,
    treasury_units: u64,
    policy_version: u32,
    policy_digest: address,
    paused: bool,
    proposal_count: u64,
    pool_units: u64,
    covered_receipts: u64,
    members: vector<address>,
    roles: vector<u8>,
    earned_units: vector<u64>,
    runner_ids: vector<address>,
    last_ms: vector<u64>,
    pay_to: vector<address>,
) {
    let dao: Dao<COIN> = s.take(id);
    assert!(dao.treasury_units() == treasury_units, ETreasury);
    assert!(dao.policy_version() == policy_version, EPolicy);
    assert!(dao.policy_digest() == policy_digest, EPolicy);
    assert!(dao.is_paused() == paused, EPause);
    assert!(dao.proposal_count() == proposal_count, EProposal);
    assert!(dao.receipt_pool().held_units() == pool_units, EPool);
    assert!(dao.receipt_pool().covered_receipts() == covered_receipts, EPool);
    assert!(dao.member_count() == members.length(), EMember);
    let mut i = 0;
    while (i < members.length()) {
        assert!(dao.is_member(members[i]), EMember);
        assert!(dao.roles_of(members[i]) == roles[i], ERoles);
        assert!(dao.earned_of(members[i]) == earned_units[i], EEarned);
        i = i + 1;
    };
    let mut k = 0;
    while (k < runner_ids.length()) {
        assert!(dao.active_runner(runner_ids[k], last_ms[k]).pay_to() == pay_to[k], ERunner);
        k = k + 1;
    };
    ts::return_shared(dao);
}

/// A receipt of kind `kinds[i]` that names its signer `named[i]` is one that the DAO knows, paid at `pay_to[i]`.
public fun assert_signers(
    s: &mut Stage,
    dao_id: address,
    kinds: vector<u8>,
    named: vector<vector<u8>>,
    pay_to: vector<address>,
) {
    // What was looked at before is back only in the next transaction.
    s.look();
    let dao: Dao<COIN> = s.take(dao_id);
    let mut i = 0;
    while (i < kinds.length()) {
        assert!(dao.signers().active(kinds[i], named[i]).pay_to() == pay_to[i], ESigner);
        i = i + 1;
    };
    ts::return_shared(dao);
}

public fun assert_proposal(
    s: &Stage,
    id: address,
    yes_votes: u64,
    no_votes: u64,
    abstain_votes: u64,
    total_votes: u64,
    executed: bool,
) {
    let proposal: Proposal = s.take(id);
    let (yes, no, abstain) = proposal.votes();
    assert!(yes == yes_votes && no == no_votes && abstain == abstain_votes, EVotes);
    assert!(proposal.total_votes() == total_votes, EVotes);
    assert!(proposal.is_executed() == executed, EProposal);
    ts::return_shared(proposal);
}

/// The licensee has one licence of this id, which is of this offer and on this dataset.
public fun assert_licence(
    s: &mut Stage,
    licensee: address,
    id: address,
    offer_id: address,
    dataset_id: address,
    bought_at_ms: u64,
    expires_at_ms: u64,
) {
    // What was looked at before is back only in the next transaction.
    s.look();
    let objects = ts::ids_for_address<Licence>(licensee);
    let mut held = 0;
    let mut i = 0;
    while (i < objects.length()) {
        let one = s.scenario().take_from_address_by_id<Licence>(licensee, objects[i]);
        if (one.licence_id() == id) {
            held = held + 1;
            assert!(one.offer_id() == offer_id && one.licensee() == licensee, ELicence);
            assert!(one.terms().dataset_id() == dataset_id, ELicence);
            assert!(one.bought_at_ms() == bought_at_ms, ELicence);
            assert!(one.expires_at_ms() == expires_at_ms, ELicence);
        };
        ts::return_to_address(licensee, one);
        i = i + 1;
    };
    assert!(held == 1, ELicence);
}

/// Leaf `i` was paid or not as `claimed[i]` says.
public fun assert_epoch(s: &Stage, id: address, state: u8, held_units: u64, claimed: vector<bool>) {
    let epoch: Epoch<COIN> = s.take(id);
    assert!(epoch.state() == state && epoch.held_units() == held_units, EEpoch);
    let mut i = 0;
    while (i < claimed.length()) {
        assert!(epoch.is_claimed(i as u32) == claimed[i], EEpoch);
        i = i + 1;
    };
    ts::return_shared(epoch);
}

/// Contribution `i` is `contribution_ids[i]`; `end_epochs[i]` has its manifest's and then its parts'. Grant `j` is `grant_ids[j]`; a grant that is not revoked has no time in its list.
/// Licences are to be had for offer `k`, or it was withdrawn. A dataset that is not retired has no time in its list.
public fun assert_dataset(
    s: &Stage,
    id: address,
    contribution_ids: vector<address>,
    owners: vector<address>,
    accepted: vector<bool>,
    declined: vector<bool>,
    tombstoned_at_ms: vector<vector<u64>>,
    end_epochs: vector<vector<u32>>,
    grant_ids: vector<address>,
    revoked_at_ms: vector<vector<u64>>,
    spent_micro_epsilon: vector<u64>,
    offer_ids: vector<address>,
    offered: vector<bool>,
    retired_at_ms: vector<u64>,
    rules: AnswerRules,
) {
    let dataset: Dataset = s.take(id);
    assert!(dataset.answer_rules() == rules, EDataset);
    assert!(times(dataset.tombstoned_at_ms()) == retired_at_ms, EDataset);
    assert!(dataset.contribution_count() == contribution_ids.length(), EContribution);
    let mut i = 0;
    while (i < contribution_ids.length()) {
        let one = contribution::borrow(&dataset, contribution_ids[i]);
        assert!(one.owner() == owners[i], EContribution);
        assert!(one.is_accepted() == accepted[i], EContribution);
        assert!(one.is_declined() == declined[i], EContribution);
        assert!(times(one.tombstoned_at_ms()) == tombstoned_at_ms[i], EContribution);
        assert!(ends_of(one) == end_epochs[i], ELease);
        i = i + 1;
    };
    let mut j = 0;
    while (j < grant_ids.length()) {
        let (revoked, spent) = grant::state_for_testing(&dataset, grant_ids[j]);
        assert!(times(revoked) == revoked_at_ms[j], EGrant);
        assert!(spent == spent_micro_epsilon[j], EBudget);
        j = j + 1;
    };
    let mut k = 0;
    while (k < offer_ids.length()) {
        assert!(licence::is_offered(&dataset, offer_ids[k]) == offered[k], EOffer);
        k = k + 1;
    };
    ts::return_shared(dataset);
}

/// When the leases of the manifest and of the parts end.
fun ends_of(contribution: &Contribution): vector<u32> {
    let mut ends = vector[contribution.manifest_blob().end_epoch()];
    let parts = contribution.parts_of();
    let mut i = 0;
    while (i < parts.length()) {
        ends.push_back(parts[i].end_epoch());
        i = i + 1;
    };
    ends
}

/// The questions are those that were settled.
public fun assert_job(
    s: &Stage,
    id: address,
    state: u8,
    escrow_units: u64,
    expires_at_ms: u64,
    question_ids: vector<address>,
) {
    let job: Job<COIN> = s.take(id);
    assert!(job.state() == state, EJob);
    assert!(job.escrow_units() == escrow_units, EEscrow);
    assert!(job.expires_at_ms() == expires_at_ms, EJob);
    assert!((job.questions_settled() as u64) == question_ids.length(), EQuestion);
    let mut i = 0;
    while (i < question_ids.length()) {
        assert!(job.is_consumed(question_ids[i]), EQuestion);
        i = i + 1;
    };
    ts::return_shared(job);
}

/// It is of this version and so many members; member `members[i]` anchored its log at `sizes[i]` with `roots[i]`, nobody else anything.
public fun assert_holder_set(
    s: &Stage,
    id: address,
    set_version: u32,
    member_count: u64,
    threshold: u8,
    members: vector<u8>,
    sizes: vector<u64>,
    roots: vector<address>,
) {
    let set: HolderSet = s.take(id);
    assert!(set.set_version() == set_version && set.member_count() == member_count, EHolderSet);
    assert!(set.threshold() == threshold, EHolderSet);
    let mut anchored = 0;
    let mut member: u8 = 0;
    while ((member as u64) < set.member_count()) {
        if (set.anchored_head(member).is_some()) anchored = anchored + 1;
        member = member + 1;
    };
    assert!(anchored == members.length(), EHead);
    let mut i = 0;
    while (i < members.length()) {
        let head = set.anchored_head(members[i]).destroy_some();
        assert!(head.tree_size() == sizes[i] && head.root_hash() == roots[i], EHead);
        i = i + 1;
    };
    ts::return_shared(set);
}

/// None or one.
fun times(time: Option<u64>): vector<u64> {
    if (time.is_some()) vector[*time.borrow()] else vector[]
}
