/// What answers from a dataset may show of it. The contracts keep the rules and say who may change them; runners, who
/// alone see questions and answers, keep to them. Serialises to the bytes of the protocol library's `AnswerRulesBcs`.
module usufruct::answer_rules;

/// The reach is above ten thousand parts of ten thousand.
const EReach: u64 = 2200;

const WHOLE_BPS: u16 = 10_000;

public struct AnswerRules has copy, drop, store {
    /// Characters that one answer may quote of one contribution; 0 for no limit.
    max_quote_chars: u32,
    /// How many contributors an answer must rest on; 0 or 1 for no such rule.
    min_contributors: u16,
    /// Share of the dataset's chunks that one asker may be shown in sum, in parts of ten thousand; 0 or all of them for
    /// no limit.
    max_reach_bps: u16,
}

public fun new(max_quote_chars: u32, min_contributors: u16, max_reach_bps: u16): AnswerRules {
    assert!(max_reach_bps <= WHOLE_BPS, EReach);
    AnswerRules { max_quote_chars, min_contributors, max_reach_bps }
}

public fun max_quote_chars(self: &AnswerRules): u32 {
    self.max_quote_chars
}

public fun min_contributors(self: &AnswerRules): u16 {
    self.min_contributors
}

public fun max_reach_bps(self: &AnswerRules): u16 {
    self.max_reach_bps
}
