/** What each check of a receipt is for (names: libs/sdk). */
export const RECEIPT_MEANINGS: Readonly<Record<string, string>> = {
  ENCODING: 'The receipt is a receipt, written in the one way that receipts are written.',
  SIGNATURE: 'The runner signed exactly this receipt.',
  RUNNER_REGISTERED: 'That runner’s key is registered on the chain by key holders that checked its evidence.',
  EVIDENCE: 'The runner showed key holders fresh evidence of its code before they gave it keys.',
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
  ATTRIBUTION: 'Weights of use were made in the way that you asked for, by what the runner signed.',
  GENERATOR: 'What you demanded made the answer, by what the runner signed.',
};

/** What each check of a signed refusal is for (names: libs/sdk). */
export const REFUSAL_MEANINGS: Readonly<Record<string, string>> = {
  ENCODING: 'The refusal is a refusal, written in the one way that refusals are written.',
  SIGNATURE: 'The runner signed exactly this refusal.',
  RUNNER_REGISTERED: 'That runner’s key is registered on the chain by key holders that checked its evidence.',
  EVIDENCE: 'The runner showed key holders fresh evidence of its code before they gave it keys.',
  CHAIN: 'It is for this chain.',
  PACKAGE: 'It is for these contracts.',
  REGISTRY: 'It is for this registry.',
  JOB: 'It is for this session.',
  CODE: 'Its reason is one that there is.',
  PRICE: 'It charges nothing.',
  NOT_CHARGED: 'The chain has taken nothing for this question.',
};

/** What each check of a key holder's log is for (names: libs/sdk). */
export const LOG_MEANINGS: Readonly<Record<string, string>> = {
  HEAD_SIGNATURE: 'The key holder signed the state of its log.',
  HEAD_MEMBER: 'It is this holder’s log and no other’s.',
  INCLUSION: 'Every entry shown is in the signed log.',
  ENTRIES: 'Every entry is about this contribution.',
  ANCHORED: 'The log goes on from what this holder has put on the chain.',
  REMEMBERED: 'The log goes on from what you saw the last time.',
};

/** What erasing a contribution was checked for. */
export const ERASURE_MEANINGS: Readonly<Record<string, string>> = {
  SIGNED_PARTS: 'Everybody signed their own part, and it is about this contribution.',
  WHOLE: 'Whoever collected the parts signed all of them together: none was changed, added or left out.',
  REMAINS: 'What it says is still to be done is what its parts say.',
  DISTINCT: 'No key holder is counted twice.',
  UNREADABLE: 'Those who have not signed yet are too few to open it.',
  SHARES: 'So many of them had a share that its key was with them.',
  COMPLETE: 'Every key holder has destroyed its share.',
  RETIRED: 'The chain says that it is retired for good.',
  HOLDERS: 'These are all key holders that the chain names for it.',
};
