/// Which granted purposes cover an asked one: the rules and the table of the consent library's `purposesCover`, by which
/// holders release and the runner uses, so that what they release is paid. `fixtures` holds what that function answers
/// for every pair of codes, and `purpose_tests` asserts each.
///
/// DUO is the GA4GH Data Use Ontology, DPV the W3C Data Privacy Vocabulary 2.0 (purposes by `hasBroader`).
module usufruct::purpose;

use std::string::String;
use usufruct::checks;

/// DUO "no restriction": covers every purpose, also one that is not known here.
const NO_RESTRICTION: vector<u8> = b"DUO:0000004";
/// DUO "disease specific research": covers nothing, because nothing here says which disease was granted or is asked.
const DISEASE_SPECIFIC: vector<u8> = b"DUO:0000007";
/// The DUO codes whose meaning is known here. Any other is a modifier or unknown: a restriction that cannot be checked.
const DUO_PERMISSIONS: vector<vector<u8>> = vector[
    b"DUO:0000004",
    b"DUO:0000006",
    b"DUO:0000007",
    b"DUO:0000011",
    b"DUO:0000042",
];
/// Pairs of a purpose and a broader one that covers it. Without cycles.
const BROADER: vector<vector<vector<u8>>> = vector[
    vector[b"DUO:0000006", b"DUO:0000042"],
    vector[b"DUO:0000007", b"DUO:0000006"],
    vector[b"DUO:0000011", b"DUO:0000042"],
    vector[b"dpv:ResearchAndDevelopment", b"dpv:Purpose"],
    vector[b"dpv:AcademicResearch", b"dpv:ResearchAndDevelopment"],
    vector[b"dpv:ScientificResearch", b"dpv:ResearchAndDevelopment"],
    vector[b"dpv:CommercialResearch", b"dpv:ResearchAndDevelopment"],
    vector[b"dpv:CommercialResearch", b"dpv:CommercialPurpose"],
    vector[b"dpv:NonCommercialResearch", b"dpv:ResearchAndDevelopment"],
    vector[b"dpv:NonCommercialResearch", b"dpv:NonCommercialPurpose"],
    vector[b"dpv:CommercialPurpose", b"dpv:Purpose"],
    vector[b"dpv:NonCommercialPurpose", b"dpv:Purpose"],
    vector[b"dpv:ServiceProvision", b"dpv:Purpose"],
    vector[b"dpv:RequestedServiceProvision", b"dpv:ServiceProvision"],
    vector[b"dpv:SearchFunctionalities", b"dpv:ServiceProvision"],
    vector[b"dpv:TechnicalServiceProvision", b"dpv:ServiceProvision"],
    vector[b"dpv:ServiceUsageAnalytics", b"dpv:ServiceProvision"],
    vector[b"dpv:SellProducts", b"dpv:ServiceProvision"],
    vector[b"dpv:SellInsightsFromData", b"dpv:SellProducts"],
    vector[b"dpv:SellDataToThirdParties", b"dpv:SellProducts"],
    vector[b"dpv:ServiceOptimisation", b"dpv:ServiceProvision"],
    vector[b"dpv:OptimisationForConsumer", b"dpv:ServiceOptimisation"],
    vector[b"dpv:OptimisationForController", b"dpv:ServiceOptimisation"],
    vector[b"dpv:ImproveExistingProductsAndServices", b"dpv:OptimisationForController"],
    vector[b"dpv:InternalResourceOptimisation", b"dpv:OptimisationForController"],
    vector[b"dpv:Personalisation", b"dpv:Purpose"],
    vector[b"dpv:ServicePersonalisation", b"dpv:ServiceProvision"],
    vector[b"dpv:ServicePersonalisation", b"dpv:Personalisation"],
    vector[b"dpv:PublicBenefit", b"dpv:Purpose"],
    vector[b"dpv:ImproveHealthcare", b"dpv:PublicBenefit"],
    vector[b"dpv:CombatClimateChange", b"dpv:PublicBenefit"],
    vector[b"dpv:ProvideOfficialStatistics", b"dpv:PublicBenefit"],
    vector[b"dpv:PublicPolicyMaking", b"dpv:PublicBenefit"],
    vector[b"dpv:Marketing", b"dpv:Purpose"],
    vector[b"dpv:Advertising", b"dpv:Marketing"],
    vector[b"dpv:PersonalisedAdvertising", b"dpv:Advertising"],
    vector[b"dpv:PersonalisedAdvertising", b"dpv:Personalisation"],
    vector[b"dpv:TargetedAdvertising", b"dpv:PersonalisedAdvertising"],
];

/// Do the granted purposes, taken together, cover the asked one? One that is a modifier or an unknown DUO code makes the
/// whole grant cover nothing, so that no restriction is dropped silently.
public(package) fun cover(granted: &vector<String>, asked: &String): bool {
    let permissions = DUO_PERMISSIONS;
    let covering = with_broader(*asked.as_bytes());
    let mut covered = false;
    let mut i = 0;
    while (i < granted.length()) {
        let code = *granted[i].as_bytes();
        // A modifier, or a DUO code that is not known.
        if (checks::starts_with(&code, &b"DUO:") && !permissions.contains(&code)) return false;
        if (code == NO_RESTRICTION || (code != DISEASE_SPECIFIC && covering.contains(&code)))
            covered = true;
        i = i + 1;
    };
    covered
}

/// The purpose and all that are broader, directly or by others.
fun with_broader(asked: vector<u8>): vector<vector<u8>> {
    let table = BROADER;
    let mut found = vector[asked];
    let mut next = 0;
    while (next < found.length()) {
        let mut i = 0;
        while (i < table.length()) {
            if (table[i][0] == found[next]) found.push_back(table[i][1]);
            i = i + 1;
        };
        next = next + 1;
    };
    found
}
