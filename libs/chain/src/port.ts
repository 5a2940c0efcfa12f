import type {
  Address,
  ContributionId,
  DaoId,
  DatasetId,
  Digest,
  EpochId,
  GrantId,
  HolderSetId,
  JobId,
  LicenceId,
  ProposalId,
  QuestionId,
  RunnerId,
  SignerId,
  AmountUnits,
} from '@usufruct/kernel';
import type {
  ApplicationView,
  ChainAction,
  ChainEvent,
  ChainInfo,
  ContributionView,
  DaoView,
  DatasetView,
  EpochView,
  GrantView,
  HolderSetView,
  JobView,
  LicenceOfferView,
  LicenceView,
  MemberView,
  ProposalView,
  ReceiptPoolView,
  RunnerView,
  SignerView,
  TransactionOutcome,
} from '@usufruct/protocol';

/**
 * The chain port. Every party opens its own and trusts no other party's word for what the chain says.
 * Reads of an object that does not exist throw `NOT_FOUND`; a chain that cannot be reached throws `CHAIN_UNAVAILABLE`.
 */
export interface ChainReader {
  info(): Promise<ChainInfo>;
  dao(id: DaoId): Promise<DaoView>;
  /** A member of the DAO with roles and earnings, or null for an address that is none. */
  member(daoId: DaoId, address: Address): Promise<MemberView | null>;
  /** Applications that nobody has decided yet. */
  applicationsOf(daoId: DaoId): Promise<ApplicationView[]>;
  proposal(id: ProposalId): Promise<ProposalView>;
  /** All proposals of the DAO, whatever became of them; the newest last. */
  proposalsOf(daoId: DaoId): Promise<ProposalView[]>;
  /** An MPC set or an FHE host, withdrawn ones included. */
  signer(daoId: DaoId, id: SignerId): Promise<SignerView>;
  /** What private settlement has set aside; empty before its first. */
  receiptPool(daoId: DaoId): Promise<ReceiptPoolView>;
  epoch(id: EpochId): Promise<EpochView>;
  /** All epochs of the DAO, in order of their proposals, rejected ones included. */
  epochsOf(daoId: DaoId): Promise<EpochView[]>;
  /** Whether this leaf was paid; false for one that is not there. */
  isClaimed(epochId: EpochId, index: number): Promise<boolean>;
  /** What the members have voted to sell, withdrawn offers included; its id is the proposal's. */
  licenceOffer(id: LicenceId): Promise<LicenceOfferView>;
  /** A licence that somebody bought. */
  licence(id: LicenceId): Promise<LicenceView>;
  dataset(id: DatasetId): Promise<DatasetView>;
  contribution(id: ContributionId): Promise<ContributionView>;
  /** In the order of the ids; null for one that the chain does not know. Read in pages, so many may be asked for. */
  contributions(ids: readonly ContributionId[]): Promise<(ContributionView | null)[]>;
  /** In order of registration; every state. */
  contributionsOf(datasetId: DatasetId): Promise<ContributionView[]>;
  grant(id: GrantId): Promise<GrantView>;
  /** All grants of a contribution, oldest first, revoked and expired ones included. */
  grantsOf(contributionId: ContributionId): Promise<GrantView[]>;
  /** The same of many, in the order of the ids and read in pages; none for a contribution that the chain does not know. */
  grantsOfEach(contributionIds: readonly ContributionId[]): Promise<GrantView[][]>;
  holderSet(id: HolderSetId): Promise<HolderSetView>;
  runner(daoId: DaoId, runnerId: RunnerId): Promise<RunnerView>;
  job(id: JobId): Promise<JobView>;
  /** Digest of the receipt that settled this question, or null. */
  settledReceipt(jobId: JobId, questionId: QuestionId): Promise<Digest | null>;
  balanceOf(account: Address): Promise<AmountUnits>;
  /** Events with `seq > after`, in order, without gaps, at most `limit`; waits up to `waitMs` for the first one. */
  events(after: number, options?: { limit?: number; waitMs?: number; signal?: AbortSignal }): Promise<ChainEvent[]>;
  /**
   * The number of the newest event, on a chain whose events are never behind the objects that they are about: what was
   * read after asking for it holds until a later event says otherwise. Not there where a node may show the one before the other.
   */
  position?(): Promise<number>;
  /** What became of a transaction; null if the chain has never seen it. */
  transaction(digest: Digest): Promise<TransactionOutcome | null>;
}

/** A wallet, reduced to what the chain needs of it. */
export interface WalletSigner {
  readonly address: Address;
  /** Sign a personal message (Sui intent scope 3); returns the serialised signature, base64. */
  signPersonalMessage(message: Uint8Array): Promise<string>;
  /** Sign a serialised transaction of Sui (intent scope 0), exactly as given; the local chain does not ask for it. */
  signTransaction?(bytes: Uint8Array): Promise<string>;
}

/** A signed transaction whose digest is known before it is sent: store it, then send it. */
export interface PreparedTransaction {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  /** Base64; where somebody else pays the gas, their signature follows after a comma. */
  readonly signature: string;
}

export interface ChainWriter {
  prepare(actions: readonly ChainAction[], signer: WalletSigner): Promise<PreparedTransaction>;
  /**
   * Send a prepared transaction. Sending the same one twice executes it once and gives the same outcome. Throws the
   * catalogue error of a transaction that failed on the chain, and `SETTLEMENT_UNKNOWN` when no answer came: look the
   * digest up (`transaction`) before anything else is sent.
   */
  send(transaction: PreparedTransaction): Promise<TransactionOutcome>;
}

export interface Chain extends ChainReader, ChainWriter {
  /** `prepare` and `send` for callers that have nothing to lose when they die between the two. */
  execute(actions: readonly ChainAction[], signer: WalletSigner): Promise<TransactionOutcome>;
}
