const PART_BYTES = 8 * 1024 ** 2;
const PARTS_PER_CONTRIBUTION = 1024;
/** More than encryption adds to any file: 18 bytes for every 512 KiB, and a few hundred. */
const ENVELOPE_BYTES_AT_MOST = 1024 ** 2;

/** Every limit on sizes and counts, in one place. Bytes, milliseconds and counts as the names say. */
export const LIMITS = {
  /** Encrypted, it fits into as many parts as the contracts list, of the size that readers take. */
  fileBytes: PARTS_PER_CONTRIBUTION * PART_BYTES - ENVELOPE_BYTES_AT_MOST,
  envelopeBytes: ENVELOPE_BYTES_AT_MOST,
  /** The largest document that a runner reads; a larger file can be stored, and is left out of every session. */
  documentBytes: 64 * 1024 ** 2,
  partBytes: PART_BYTES,
  partsPerContribution: PARTS_PER_CONTRIBUTION,
  manifestBytes: 256 * 1024,
  sealKeyServers: 16,
  /** Keys asked for in one request; each is a call that every key server runs, and a pairing to check its answer. */
  sealUsesPerRequest: 64,
  /** A secret of 32 bytes under that many servers takes less than half of it. */
  sealEncryptedSecretBytes: 4 * 1024,
  questionChars: 4_000,
  titleChars: 200,
  descriptionChars: 20_000,
  sealedQuestionBytes: 16 * 1024,
  sealedAnswerBytes: 1024 ** 2,
  /** Pieces of one answer, the last one included, and the size of one. */
  streamRecords: 64,
  streamRecordBytes: 64 * 1024,
  httpBodyBytes: 8 * 1024 ** 2,
  challengeTermMs: 60_000,
  /** How far another party's clock may be from ours, either way. */
  clockSkewMs: 60_000,
  /** A client that registers has holders say again that they keep its shares when they last said so earlier. */
  shareReceiptTermMs: 24 * 60 * 60_000,
  /** Key holders keep a share that nobody registers at least so long: much longer than a client relies on a receipt. */
  unregisteredTermLeastMs: 48 * 60 * 60_000,
  sessionTermMs: 10 * 60_000,
  /** How long a holder may say that one key of its own is to be sealed to. */
  sealingKeyTermMs: 7 * 24 * 60 * 60_000,
  /** An index that nobody made anew for so long is not opened again. */
  indexKeyTermMs: 30 * 24 * 60 * 60_000,
  leasedKeysPerJob: 8,
  jobTermMs: 60 * 60_000,
  questionsPerJob: 10_000,
  contributionsPerDataset: 10_000,
  /** Read from a chain at once; whoever wants more reads on. */
  contributionsPage: 250,
  /** Of the local chain, in one request. */
  readsPerRequest: 32,
  usesPerReceipt: 64,
  actionsPerTransaction: 64,
  transactionBytes: 128 * 1024,
  transactionTermMs: 10 * 60_000,
  eventsPage: 1_000,
  receiptFreshnessMs: 30 * 60_000,
  runnerRegistrationTermMs: 24 * 60 * 60_000,
  /** Voting, timelock, time to execute, challenge window: each at most this. */
  governanceTermMs: 90 * 24 * 60 * 60_000,
  /** Voting and the time to execute: each at least this. */
  governanceTermLeastMs: 1_000,
  /** How long an epoch's payouts wait to be claimed: at most this. */
  claimTermMs: 3 * 365 * 24 * 60 * 60_000,
  leavesPerEpoch: 2 ** 32 - 1,
  /** From the settlement of a private receipt until a vote can write it off. */
  writeOffAfterMs: 30 * 24 * 60 * 60_000,
  /** What a settler takes into one epoch: as many as holders check in one request; the chain sets no limit. */
  receiptsPerEpoch: 1_000,
  /** A settler may leave attempts of an epoch out, not more than the contract lets it. */
  epochAttemptsAhead: 1_000,
  receiptBytes: 2_048,
  epochStatementBytes: 2_048,
  /** A receipt, its signature, the salt, the most uses there can be, and their lengths. */
  openingBytes: 2_048 + 64 + 32 + 64 * 72 + 16,
  openingsPerRequest: 100,
  epochsPerPayoutQuery: 32,
  /** Manifests of one message of a re-sharing; their bytes together must fit into a body too. */
  manifestsPerResharing: 250,
  holdingsPerPage: 1_000,
  licenceTermMs: 10 * 365 * 24 * 60 * 60_000,
} as const;
