/**
 * The one catalogue of refusals and errors. `message` says what happened, `remedy` what would satisfy the rule,
 * `http` the status where the code travels over HTTP, `retry` whether the same request may succeed later.
 */
export interface CatalogueEntry {
  readonly message: string;
  readonly remedy: string;
  readonly http: number;
  readonly retry: 'never' | 'after-change' | 'later';
}

const entry = (http: number, retry: CatalogueEntry['retry'], message: string, remedy: string): CatalogueEntry => ({
  message,
  remedy,
  http,
  retry,
});

export const CATALOGUE = {
  // input
  INVALID_ARGUMENT: entry(400, 'never', 'An argument is not of the expected form', 'Correct the named field.'),
  MALFORMED_REQUEST: entry(400, 'never', 'The request could not be parsed', 'Send a well-formed request.'),
  REQUEST_TOO_LARGE: entry(413, 'never', 'The request is larger than the limit', 'Send less, or in parts.'),
  QUERY_TOO_EXPENSIVE: entry(
    400,
    'never',
    'The query exceeds the depth, alias, directive, token or cost limit',
    'Ask for fewer fields or smaller pages.',
  ),
  NOT_FOUND: entry(
    404,
    'after-change',
    'There is no such object, or it is not yours to see',
    'Check the id and who you are signed in as.',
  ),
  ALREADY_EXISTS: entry(409, 'never', 'An object with this id exists already with other content', 'Use a fresh salt.'),
  IDEMPOTENCY_KEY_REUSED: entry(
    409,
    'never',
    'This idempotency key was used for another request',
    'Use a new key for a new request.',
  ),
  IDEMPOTENCY_IN_PROGRESS: entry(
    409,
    'later',
    'The first request with this key is still running',
    'Ask again with the same key.',
  ),
  UNSUPPORTED: entry(
    501,
    'never',
    'This interface does not offer that',
    'Leave it out; the documentation says what is offered.',
  ),
  RATE_LIMITED: entry(429, 'later', 'Too many requests', 'Wait before the next request.'),
  // who
  UNAUTHENTICATED: entry(
    401,
    'after-change',
    'Nobody is signed in, or the token is not valid',
    'Sign in with a wallet or send an API key.',
  ),
  FORBIDDEN: entry(
    403,
    'after-change',
    'This identity may not do this',
    'Use an identity that holds the named role or scope.',
  ),
  SIGNATURE_INVALID: entry(
    401,
    'never',
    'The signature does not verify for this address and message',
    'Sign exactly the given message with the wallet of the named address.',
  ),
  CHALLENGE_EXPIRED: entry(401, 'after-change', 'The challenge is older than its term', 'Ask for a new challenge.'),
  CHALLENGE_USED: entry(401, 'after-change', 'The challenge was answered already', 'Ask for a new challenge.'),
  CHALLENGE_UNKNOWN: entry(
    401,
    'after-change',
    'The challenge was not issued here',
    'Ask this service for a challenge.',
  ),
  TOKEN_REUSED: entry(401, 'never', 'A refresh token was used twice; the session is closed', 'Sign in again.'),
  WRONG_WALLET: entry(403, 'never', 'The signer is not the owner', 'Sign with the wallet of the owner.'),
  // files and envelopes
  FILE_EMPTY: entry(400, 'never', 'The file has no bytes', 'Choose a file with content.'),
  FILE_TOO_LARGE: entry(413, 'never', 'The file is larger than the limit', 'Split the file.'),
  FORMAT_UNKNOWN: entry(
    415,
    'never',
    'The format is not one that the runner can read',
    'Use txt, md, html, pdf, docx, pptx, xlsx, csv, json, jsonl or eml.',
  ),
  FORMAT_BROKEN: entry(
    422,
    'never',
    'The file says that it is of a format that its bytes are not',
    'Save the file again in that format.',
  ),
  DOCUMENT_LOCKED: entry(
    422,
    'never',
    'The document is encrypted with a password',
    'Save it without the password: it is encrypted on the way in anyway.',
  ),
  DOCUMENT_TOO_COMPLEX: entry(
    422,
    'never',
    'Reading the document takes more time, memory or nesting than one document may',
    'Split it, or export its text to a simpler format.',
  ),
  ENVELOPE_MALFORMED: entry(
    422,
    'never',
    'The bytes are not the OpenPGP message that the envelope prescribes',
    'Encrypt with a current client.',
  ),
  ENVELOPE_TAMPERED: entry(
    422,
    'never',
    'The ciphertext fails authentication',
    'Fetch the blob again or upload it again.',
  ),
  MANIFEST_INVALID: entry(
    422,
    'never',
    'The manifest does not bind what it must',
    'Make the manifest with a current client.',
  ),
  MANIFEST_MISMATCH: entry(
    409,
    'never',
    'The manifest is not the one registered on the chain',
    'Use the registered manifest.',
  ),
  BLOB_MISMATCH: entry(
    422,
    'later',
    'The stored bytes do not hash to what the manifest says',
    'Read from another aggregator or upload again.',
  ),
  BLOB_UNAVAILABLE: entry(503, 'later', 'The blob cannot be read from the store', 'Try again, or renew its lease.'),
  BLOB_PERMANENT: entry(
    409,
    'never',
    'The blob was stored so that nobody can delete it before its lease ends',
    'Wait until its lease ends.',
  ),
  STORE_UNSUPPORTED: entry(
    501,
    'after-change',
    'The configured store cannot do this',
    'Do without it, or configure a store that can.',
  ),
  STORE_FULL: entry(
    507,
    'later',
    'The store has no room or no quota left for this',
    'Make room, or use another store.',
  ),
  BLOB_LOST: entry(
    410,
    'after-change',
    'The ciphertext is not in the store any more',
    'Its owner puts the same ciphertext into the store again, or contributes the file anew.',
  ),
  DATASET_MISMATCH: entry(
    409,
    'never',
    'The contribution belongs to another dataset',
    'Name the dataset that the manifest names.',
  ),
  SHARE_INVALID: entry(422, 'never', 'The share does not match the commitments', 'Deal the shares again.'),
  SHARES_INSUFFICIENT: entry(
    503,
    'later',
    'Fewer holders than the threshold released a share',
    'Wait until enough key holders answer.',
  ),
  SEALING_KEY_INVALID: entry(
    409,
    'later',
    "What was shown as a key holder's word about the key to seal to is not its word, or not in force now",
    "Fetch the named holder's current sealing key from the holder itself (GET /v1/sealing-key), and compare the clocks.",
  ),
  SEALING_KEY_RETIRED: entry(
    409,
    'after-change',
    'This is not sealed to a key that the holder opens shares with: it has destroyed that key, or never said so of it',
    "Fetch the holder's current sealing key (GET /v1/sealing-key) and seal to that.",
  ),
  KEY_COMMITMENT_MISMATCH: entry(
    422,
    'never',
    'The shares combine to another key than the manifest commits to',
    'Ask the named holder for its share again.',
  ),
  KEY_MODE_UNAVAILABLE: entry(
    409,
    'after-change',
    'The keys of this contribution are given out in a mode that cannot be had here',
    'Use a Sui network, name the key servers of the contribution in SEAL_KEY_SERVERS, and a DAO that pays directly; or contribute with key holders.',
  ),
  KEY_SERVERS_REFUSED: entry(
    403,
    'later',
    "Seal's key servers do not approve this use, on their own view of the chain",
    'Wait until their nodes have seen the grant, the job and the runner, then ask again.',
  ),
  KEY_SUPERSEDED: entry(
    409,
    'after-change',
    'The key is of other grants than are in force now, or of other key holders; it is not given out again',
    'Make the index or checkpoint anew, under a key for the grants that are in force.',
  ),
  LEASE_EXPIRED: entry(409, 'after-change', 'The lease of the key has ended', 'Lease the key again.'),
  LOG_BEHIND: entry(
    503,
    'after-change',
    'This key holder has lost entries of its log that the chain knows of',
    'Its operator restores the newest backup and starts it again, or has it rotated out of its set; until then other holders release.',
  ),
  // consent
  GRANT_REQUIRED: entry(
    403,
    'after-change',
    'No grant covers this contribution',
    'The contributor must grant this use.',
  ),
  GRANT_EXPIRED: entry(403, 'after-change', 'The grant has expired', 'The contributor must grant again.'),
  GRANT_REVOKED: entry(403, 'after-change', 'The grant was revoked', 'The contributor must grant again.'),
  PURPOSE_DENIED: entry(403, 'after-change', 'The purpose is not one that was granted', 'Ask for a granted purpose.'),
  SCOPE_MISMATCH: entry(
    403,
    'after-change',
    'The kind of computation or protection is not one that was granted',
    'Use a granted kind.',
  ),
  PRICE_BELOW_FLOOR: entry(
    403,
    'after-change',
    'The price is under the floor of the grant',
    'Offer at least the floor.',
  ),
  BUDGET_EXHAUSTED: entry(
    403,
    'after-change',
    'The privacy budget is spent',
    'The contributor must grant more budget.',
  ),
  LICENCE_REQUIRED: entry(
    403,
    'after-change',
    'The requester has no licence for this use',
    'Buy a licence of the DAO for this dataset, purpose, kind and protection.',
  ),
  LICENCE_EXPIRED: entry(403, 'after-change', 'The licence has ended', 'Buy a new licence.'),
  ALREADY_DECIDED: entry(409, 'never', 'This was decided already', 'See the decision.'),
  CONTRIBUTION_NOT_ACCEPTED: entry(
    403,
    'after-change',
    'The DAO has not accepted this contribution',
    'A steward must accept it.',
  ),
  // attestation
  ATTESTATION_REFUSED: entry(403, 'after-change', 'The evidence does not satisfy the policy', 'See the failed checks.'),
  ATTESTATION_STALE: entry(
    409,
    'after-change',
    'The runner key is no longer current',
    'Fetch fresh evidence and encrypt to its key.',
  ),
  ATTESTATION_UNENDORSED: entry(
    503,
    'later',
    'The verifier has no current word of the hardware’s vendor about this evidence',
    'Try again; the operator of the verifier finds in its log what is missing.',
  ),
  ENDORSEMENTS_STALE: entry(
    409,
    'after-change',
    "What a vendor signed about its hardware cannot be used: its signed validity has ended, or it is not the vendor's",
    'Fetch the named endorsements again.',
  ),
  PROFILE_UNSUPPORTED: entry(
    400,
    'never',
    'No verifier is installed for this evidence profile',
    'Use a supported profile.',
  ),
  RUNNER_NOT_REGISTERED: entry(
    403,
    'after-change',
    'The runner key is not registered for the current policy',
    'The runner must register again.',
  ),
  RUNNER_UNAVAILABLE: entry(
    503,
    'later',
    'No runner can take the job now',
    'Ask again; the escrow is refunded when the job expires.',
  ),
  // jobs and money
  PAYMENT_REQUIRED: entry(402, 'after-change', 'The escrow does not cover the price', 'Fund the job.'),
  INSUFFICIENT_BALANCE: entry(
    402,
    'after-change',
    'The balance is smaller than the amount',
    'Add funds to the wallet.',
  ),
  SPENDING_LIMIT: entry(
    402,
    'after-change',
    'This would cost more than its user allowed',
    'Raise the named limit, or wait until sessions that are open have given back what they did not spend.',
  ),
  TRANSACTION_EXPIRED: entry(
    409,
    'after-change',
    'The transaction reached the chain after its expiry; it was not executed and never will be',
    'Sign it again with a later expiry.',
  ),
  JOB_STATE: entry(409, 'never', 'The job is in a state that does not allow this', 'See the state of the job.'),
  JOB_EXPIRED: entry(409, 'never', 'The job has expired', 'Fund a new job.'),
  QUESTION_LIMIT: entry(409, 'never', 'The session has no questions left', 'Fund a new session.'),
  QUESTION_UNKNOWN: entry(
    404,
    'after-change',
    'The runner does not know this question',
    'Send it again, encrypted to the current key.',
  ),
  GENERATOR_UNAVAILABLE: entry(
    503,
    'later',
    'The language model that is to write the answer does not answer, or not as it must',
    'Ask again later, or ask for the extractive answer; nothing is charged.',
  ),
  STREAM_BROKEN: entry(
    502,
    'later',
    'The pieces of this answer are cut short, out of order, or not of this question',
    'Ask again with the same key: what was answered is kept, and not paid twice.',
  ),
  NO_USABLE_DATA: entry(
    409,
    'after-change',
    'No contribution of this dataset may be used for this job',
    'Ask for another purpose, or wait for grants.',
  ),
  REACH_LIMIT: entry(
    403,
    'after-change',
    'This asker has been shown as much of this dataset as its rules allow',
    'Ask about what was shown before, or have a steward of the DAO change the rules.',
  ),
  DATA_WITHDRAWN: entry(
    410,
    'never',
    'Data that this job used is no longer allowed, and the DAO ends such jobs',
    'Close the job: what is not spent comes back. A new one works without that data.',
  ),
  EGRESS_SPENT: entry(
    409,
    'never',
    'Another output of this job was let out already',
    'Deliver that one, or fund another job.',
  ),
  RECEIPT_INVALID: entry(422, 'never', 'The receipt does not verify', 'See the failed checks.'),
  RECEIPT_CONSUMED: entry(409, 'never', 'This receipt was settled already', 'Nothing is owed.'),
  SETTLEMENT_UNKNOWN: entry(
    504,
    'later',
    'The settlement was sent and its outcome is not known',
    'Look the transaction up; it is never sent blindly again.',
  ),
  SPLIT_INVALID: entry(400, 'never', 'The shares of the split do not add up to 10,000', 'Correct the split.'),
  // governance and private payout
  DAO_PAUSED: entry(409, 'later', 'The DAO is paused', 'Wait until its members have voted to unpause it.'),
  BY_VOTE_ONLY: entry(
    403,
    'never',
    "Only a vote of the DAO's members changes this",
    'Make a proposal and have it voted on.',
  ),
  ALREADY_MEMBER: entry(409, 'never', 'This address is a member, or has applied already', 'Nothing needs to be done.'),
  ALREADY_VOTED: entry(409, 'never', 'This member has voted on this proposal', 'Nothing: a vote is final.'),
  NO_VOTE: entry(
    403,
    'never',
    'This address had no vote when the proposal was made',
    'Vote on proposals that are made from now on.',
  ),
  PROPOSAL_STATE: entry(
    409,
    'after-change',
    'The proposal is not in a state that allows this',
    'Look at its votes and times.',
  ),
  EPOCH_STATE: entry(
    409,
    'after-change',
    'The epoch is not in a state that allows this',
    'Look at its state and times.',
  ),
  EPOCH_INVALID: entry(
    422,
    'never',
    'The statement about an epoch is not one that the contract accepts',
    'Make a new statement that passes the named check.',
  ),
  CLAIM_INVALID: entry(
    422,
    'never',
    "The claim is not a leaf of this epoch's tree",
    'Send the leaf and its proof as they were given.',
  ),
  ALREADY_CLAIMED: entry(409, 'never', 'This payout was claimed already', 'Nothing: it was paid.'),
  TOMBSTONED: entry(
    410,
    'never',
    'This was retired for good by those who may, and nothing brings it back',
    'Use another one.',
  ),
  POLICY_OUTDATED: entry(
    409,
    'after-change',
    'The policy has a newer version',
    'Read the current policy and try again.',
  ),
  BACKUP_INVALID: entry(
    422,
    'never',
    'The backup cannot be used: it was altered, is not for this, or may not be opened any more',
    'Use the newest backup of this holder, with the private key that it was made for.',
  ),
  // parts of the system
  CHAIN_UNAVAILABLE: entry(503, 'later', 'The chain cannot be reached', 'Try again.'),
  CHAIN_EVENTS_BROKEN: entry(500, 'never', 'The event stream has a gap or is out of order', 'Rebuild the projection.'),
  UPSTREAM_UNAVAILABLE: entry(503, 'later', 'Another part of the system does not answer', 'Try again.'),
  UPSTREAM_INVALID: entry(
    502,
    'later',
    'Another part of the system gave an answer that is not valid',
    'Report it to the operator of the named part.',
  ),
  STAND_IN_FORBIDDEN: entry(
    500,
    'never',
    'A stand-in is configured together with a real network',
    'Configure the real part, or the local chain.',
  ),
  CONFIG_INVALID: entry(500, 'never', 'The configuration is not valid', 'Correct the named setting.'),
  INTERNAL: entry(500, 'later', 'Something went wrong inside', 'Try again; the operator finds the cause in the log.'),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof CATALOGUE;
export const ERROR_CODES = Object.keys(CATALOGUE) as ErrorCode[];
