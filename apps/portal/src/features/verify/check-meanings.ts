/** What each check of the evidence is for, in plain language (names: libs/attestation). */
export const ATTESTATION_MEANINGS: Readonly<Record<string, string>> = {
  BAD_CLOCK: 'This browser’s clock is plausible, so dates in certificates can be judged.',
  POLICY: 'The DAO’s appraisal policy is complete.',
  PROFILE: 'The DAO accepts this kind of trusted hardware.',
  PROFILE_UNSUPPORTED: 'This portal knows how to check this kind of evidence.',
  PARSE_BUNDLE: 'The evidence is well-formed.',
  PARSE: 'The hardware’s quote is well-formed, and is exactly one.',
  ROOT_NOT_PINNED: 'The chain of certificates ends in a root of trust that is pinned here.',
  CHAIN: 'Every certificate is signed by the one above it and valid today.',
  SIGNATURE: 'The quote was signed by that hardware’s key.',
  RTMR: 'The recorded start-up events add up to the register in the quote: nothing is hidden.',
  GPU: 'The graphics processor proved itself too.',
  DEBUG: 'Debugging is off: the operator cannot look into the memory.',
  MEASUREMENT: 'The code that runs is exactly code that the DAO has approved.',
  NONCE: 'The evidence answers the random challenge that this browser has just made: it is no recording.',
  BINDING: 'The keys that your question is encrypted to were made inside, for this job.',
};

/** What each check of a receipt is for (names: libs/sdk). */
export const RECEIPT_MEANINGS: Readonly<Record<string, string>> = {
  ENCODING: 'The receipt is a receipt, written in the one way that receipts are written.',
  SIGNATURE: 'The runner signed exactly this receipt.',
  RUNNER_REGISTERED: 'That runner’s key is registered on the chain by key holders that checked its evidence.',
  CHAIN: 'It is for this chain.',
  PACKAGE: 'It is for these contracts.',
  REGISTRY: 'It is for this registry.',
  JOB: 'It is for this session.',
  PRICE: 'It charges what the session agreed to, or nothing.',
  USES_COMMITMENT: 'The list of whose data was used is the one that the runner committed to.',
  RESULT_COMMITMENT: 'The answer that you read is the one that the runner committed to.',
  SETTLED: 'The chain accepted exactly this receipt, once.',
  PAYOUTS_ADD_UP: 'What was paid out adds up to the price, to the last unit.',
  PAYOUTS_BY_WEIGHT: 'Everyone got what the DAO’s split and the weights of use give, computed again here.',
};

/** What each check of a key holder's log is for (names: libs/sdk). */
export const LOG_MEANINGS: Readonly<Record<string, string>> = {
  HEAD_SIGNATURE: 'The key holder signed the state of its log.',
  HEAD_MEMBER: 'It is this holder’s log and no other’s.',
  INCLUSION: 'Every entry shown is in the signed log.',
  ENTRIES: 'Every entry is about this contribution.',
};
