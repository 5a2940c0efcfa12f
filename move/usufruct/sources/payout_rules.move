/// How the contributors' part of new jobs is paid. Serialises to the bytes of the protocol library's `PayoutRulesBcs`.
module usufruct::payout_rules;

/// The mode of payout is none that there is.
const EPayoutMode: u64 = 1550;
/// The challenge window is longer than 90 days.
const EChallengeTerm: u64 = 1551;
/// The claim term is shorter than a second or longer than three years.
const EClaimTerm: u64 = 1552;
/// Unclaimed money goes to the treasury or to the protocol, and nowhere else.
const EUnclaimedTo: u64 = 1553;

/// Weights are public and each receipt pays at once.
const DIRECT: u8 = 0;
/// Private weights, paid by claims.
const EPOCH: u8 = 1;
const TO_TREASURY: u8 = 0;
const TO_PROTOCOL: u8 = 1;

/// 90 days.
const MOST_CHALLENGE_MS: u64 = 7_776_000_000;
const LEAST_CLAIM_TERM_MS: u64 = 1_000;
/// Three years of 365 days.
const MOST_CLAIM_TERM_MS: u64 = 94_608_000_000;

public struct PayoutRules has copy, drop, store {
    mode: u8,
    /// How long holders may object to an epoch before it can be claimed from.
    challenge_ms: u64,
    /// How long payouts can be claimed after that.
    claim_term_ms: u64,
    unclaimed_to: u8,
}

public fun new(mode: u8, challenge_ms: u64, claim_term_ms: u64, unclaimed_to: u8): PayoutRules {
    assert!(mode == DIRECT || mode == EPOCH, EPayoutMode);
    assert!(challenge_ms <= MOST_CHALLENGE_MS, EChallengeTerm);
    assert!(
        claim_term_ms >= LEAST_CLAIM_TERM_MS && claim_term_ms <= MOST_CLAIM_TERM_MS,
        EClaimTerm,
    );
    assert!(unclaimed_to == TO_TREASURY || unclaimed_to == TO_PROTOCOL, EUnclaimedTo);
    PayoutRules { mode, challenge_ms, claim_term_ms, unclaimed_to }
}

/// 0 direct, 1 epoch.
public fun mode(self: &PayoutRules): u8 {
    self.mode
}

public fun is_by_epoch(self: &PayoutRules): bool {
    self.mode == EPOCH
}

public fun challenge_ms(self: &PayoutRules): u64 {
    self.challenge_ms
}

public fun claim_term_ms(self: &PayoutRules): u64 {
    self.claim_term_ms
}

/// 0 treasury, 1 protocol.
public fun unclaimed_to(self: &PayoutRules): u8 {
    self.unclaimed_to
}
