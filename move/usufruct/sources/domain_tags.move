/// Every domain-separation tag that the contracts use. The bytes are those of the protocol library: a tag names one
/// use of one primitive, and changing what it covers means a new version.
module usufruct::domain_tags;

public(package) fun object_id(): vector<u8> {
    b"usufruct/object-id/v1"
}

public(package) fun dao_policy(): vector<u8> {
    b"usufruct/dao-policy/v1"
}

public(package) fun appraisal_policy(): vector<u8> {
    b"usufruct/appraisal-policy/v1"
}

public(package) fun runner_statement(): vector<u8> {
    b"usufruct/runner-statement/v1"
}

public(package) fun tree_head(): vector<u8> {
    b"usufruct/tree-head/v1"
}

public(package) fun receipt(): vector<u8> {
    b"usufruct/usage-receipt/v1"
}

public(package) fun uses_commitment(): vector<u8> {
    b"usufruct/uses-commitment/v1"
}

public(package) fun holder_rotation(): vector<u8> {
    b"usufruct/holder-rotation/v1"
}

public(package) fun signer_keys(): vector<u8> {
    b"usufruct/signer/v1"
}

public(package) fun receipt_chain(): vector<u8> {
    b"usufruct/receipt-chain/v1"
}

public(package) fun epoch_statement(): vector<u8> {
    b"usufruct/epoch-statement/v1"
}

public(package) fun epoch_leaf(): vector<u8> {
    b"usufruct/epoch-leaf/v1"
}

public(package) fun opening_ack(): vector<u8> {
    b"usufruct/opening-ack/v1"
}
