/// Licences: the members vote to offer one, anybody buys it at exactly that price, and it belongs to the buyer alone. What
/// it costs goes to the protocol, by the policy's split, and to the treasury; contributors are paid by use.
module usufruct::licence;

use std::string::String;
use sui::{clock::Clock, coin::{Self, Coin}, dynamic_field as field};
use usufruct::{
    data_dao::Dao,
    dataset::Dataset,
    digest,
    licence_terms::LicenceTerms,
    lifecycle_events as events,
    payout::{Self, Payout},
    registry::Registry
};

/// There is no such offer on this dataset.
const ENoOffer: u64 = 1901;
/// The offer was withdrawn.
const EOfferWithdrawn: u64 = 1902;
/// The payment is not the price of the offer.
const EWrongPayment: u64 = 1903;
/// The licence is somebody else's, or for another dataset, purpose, kind of computation or protection.
const ENotCovered: u64 = 1904;
/// The licence has ended.
const EExpired: u64 = 1905;

const WHOLE_BPS: u64 = 10_000;

public struct Offer has store {
    terms: LicenceTerms,
    withdrawn_at_ms: Option<u64>,
}

/// The name of the dataset's dynamic field. An offer has the id of the proposal that made it.
public struct OfferKey has copy, drop, store {
    offer_id: address,
}

/// Without `store`, so it cannot be transferred: it stays with whoever bought it.
public struct Licence has key {
    id: UID,
    licence_id: address,
    offer_id: address,
    dao_id: address,
    licensee: address,
    terms: LicenceTerms,
    bought_at_ms: u64,
    expires_at_ms: u64,
}

/// By anybody, while the offer stands. `payment` must be its price exactly. The licence goes to the sender.
public fun buy<T>(
    dao: &mut Dao<T>,
    dataset: &Dataset,
    registry: &Registry,
    salt: address,
    offer_id: address,
    payment: Coin<T>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    dao.assert_open();
    registry.assert_version();
    dataset.assert_of(dao);
    dataset.assert_living();
    let offer = borrow_offer(dataset, offer_id);
    assert!(offer.withdrawn_at_ms.is_none(), EOfferWithdrawn);
    let terms = offer.terms;
    assert!(payment.value() == terms.price_units(), EWrongPayment);

    let licensee = ctx.sender();
    let dao_id = dao.dao_id();
    let licence_id = digest::derive_id(b"licence", offer_id.to_bytes(), licensee, salt);
    dao.take_id(licence_id);
    let payouts = pay(dao, payment, registry.protocol_account(), ctx);
    let bought_at_ms = clock.timestamp_ms();
    let licence = Licence {
        id: object::new(ctx),
        licence_id,
        offer_id,
        dao_id,
        licensee,
        terms,
        bought_at_ms,
        expires_at_ms: bought_at_ms + terms.term_ms(),
    };
    events::licence_bought(
        licence.id.to_inner(),
        licence_id,
        offer_id,
        dao_id,
        licensee,
        terms,
        bought_at_ms,
        licence.expires_at_ms,
        payouts,
    );
    transfer::transfer(licence, licensee);
}

/// For whoever asks for one: that `licensee` may fund this job at `at_ms` under it.
public fun assert_covers(
    self: &Licence,
    dataset: &Dataset,
    licensee: address,
    purpose: &String,
    kind: u8,
    protection: u8,
    at_ms: u64,
) {
    dataset.assert_version();
    dataset.assert_living_at(at_ms);
    assert!(self.licensee == licensee, ENotCovered);
    assert!(self.terms.dataset_id() == dataset.dataset_id(), ENotCovered);
    assert!(self.terms.cover(purpose, kind, protection), ENotCovered);
    assert!(at_ms < self.expires_at_ms, EExpired);
}

public fun is_offered(dataset: &Dataset, offer_id: address): bool {
    field::exists_(dataset.uid(), OfferKey { offer_id })
        && borrow_offer(dataset, offer_id).withdrawn_at_ms.is_none()
}

public fun licence_id(self: &Licence): address {
    self.licence_id
}

public fun offer_id(self: &Licence): address {
    self.offer_id
}

public fun dao_id(self: &Licence): address {
    self.dao_id
}

public fun licensee(self: &Licence): address {
    self.licensee
}

public fun terms(self: &Licence): &LicenceTerms {
    &self.terms
}

public fun bought_at_ms(self: &Licence): u64 {
    self.bought_at_ms
}

public fun expires_at_ms(self: &Licence): u64 {
    self.expires_at_ms
}

// === Effects of votes ===

/// `terms` are for this dataset; the caller has looked.
public(package) fun offer(dataset: &mut Dataset, offer_id: address, terms: LicenceTerms) {
    dataset.assert_living();
    let dao_id = dataset.dao_id();
    let offer = Offer { terms, withdrawn_at_ms: option::none() };
    field::add(dataset.uid_mut(), OfferKey { offer_id }, offer);
    events::licence_offered(offer_id, dao_id, terms);
}

/// Nobody buys it any more; licences that were bought run on.
public(package) fun withdraw_offer(dataset: &mut Dataset, offer_id: address, clock: &Clock) {
    assert!(borrow_offer(dataset, offer_id).withdrawn_at_ms.is_none(), EOfferWithdrawn);
    let at_ms = clock.timestamp_ms();
    let dao_id = dataset.dao_id();
    let offer: &mut Offer = field::borrow_mut(dataset.uid_mut(), OfferKey { offer_id });
    offer.withdrawn_at_ms = option::some(at_ms);
    events::licence_offer_withdrawn(offer_id, dao_id, at_ms);
}

fun borrow_offer(dataset: &Dataset, offer_id: address): &Offer {
    let key = OfferKey { offer_id };
    assert!(field::exists_(dataset.uid(), key), ENoOffer);
    field::borrow(dataset.uid(), key)
}

/// The protocol's part of the policy's split, by the rule of all divisions; the treasury has the rest, which is the
/// earlier part where the remainders are equal. Rows of zero are left out.
fun pay<T>(
    dao: &mut Dao<T>,
    payment: Coin<T>,
    protocol: address,
    ctx: &mut TxContext,
): vector<Payout> {
    let protocol_bps = dao.policy().split().parts_bps()[3];
    let parts = payout::split_by_bps(
        payment.value(),
        &vector[WHOLE_BPS - protocol_bps, protocol_bps],
    );
    let mut rest = payment.into_balance();
    let fee = rest.split(parts[1]);
    dao.deposit(rest);
    let mut paid = vector[];
    if (parts[0] > 0) {
        let treasury = digest::treasury_account(dao.dao_id());
        paid.push_back(payout::to_treasury(treasury, parts[0]));
    };
    if (parts[1] > 0) {
        transfer::public_transfer(coin::from_balance(fee, ctx), protocol);
        paid.push_back(payout::to_protocol(protocol, parts[1]));
    } else {
        fee.destroy_zero();
    };
    paid
}
