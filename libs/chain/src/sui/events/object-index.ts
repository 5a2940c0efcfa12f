import {
  refuse,
  type Address,
  type AmountUnits,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type EpochId,
  type GrantId,
  type Hex32,
  type HolderSetId,
  type JobId,
  type LicenceId,
  type ProposalId,
  type SignerId,
  type TimestampMs,
} from '@usufruct/kernel';

interface IndexedDao {
  readonly object: Hex32;
  /** Canonical type of the DAO's coin. */
  readonly coin: string;
  policyVersion: number;
  /** In order of joining. */
  readonly members: Address[];
  /** That nobody has decided; the hash of the applicant's statement. */
  readonly applications: Map<Address, Digest>;
  /** In order of their numbers. */
  readonly proposals: ProposalId[];
  readonly signers: SignerId[];
  /** In order of proposal, rejected ones included. */
  readonly epochs: EpochId[];
  /** How many receipts were settled privately. */
  pooledReceipts: bigint;
}
interface IndexedEpoch {
  readonly object: Hex32;
  readonly daoId: DaoId;
  readonly toReceipt: bigint;
  readonly totalUnits: AmountUnits;
  readonly proposedAtMs: TimestampMs;
  claimedUnits: AmountUnits;
}
interface IndexedProposal {
  readonly object: Hex32;
  readonly daoId: DaoId;
  readonly createdAtMs: TimestampMs;
}
interface IndexedDataset {
  readonly object: Hex32;
  readonly daoId: DaoId;
  readonly contributions: ContributionId[];
}
interface IndexedContribution {
  readonly datasetId: DatasetId;
  readonly grants: GrantId[];
}
interface IndexedJob {
  readonly object: Hex32;
  readonly daoId: DaoId;
  readonly datasetId: DatasetId;
  questionsSettled: number;
}

/** One kind of thing, by our id. */
export class Kind<Id extends Hex32, Entry> {
  readonly #entries = new Map<Id, Entry>();

  constructor(readonly name: string) {}

  add(id: Id, entry: Entry): Entry {
    if (this.#entries.has(id)) throw refuse('CHAIN_EVENTS_BROKEN', { reason: `the same ${this.name} twice` });
    this.#entries.set(id, entry);
    return entry;
  }
  has(id: Id): boolean {
    return this.#entries.has(id);
  }
  /** Refuses `NOT_FOUND`: for ids that a caller gave. */
  find(id: Id): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw refuse('NOT_FOUND', { object: this.name });
    return entry;
  }
  /** Refuses `CHAIN_EVENTS_BROKEN`: for ids that an event names, whose own event must have come before. */
  known(id: Id): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw refuse('CHAIN_EVENTS_BROKEN', { reason: `an event of an unknown ${this.name}` });
    return entry;
  }
}

/**
 * Where everything is: Sui knows an object by an id that it gives itself, we know it by the id that its maker derived.
 * Every event of creation carries both, so this is built from events alone, as is the order in which things came.
 */
export class ObjectIndex {
  readonly daos = new Kind<DaoId, IndexedDao>('dao');
  readonly holderSets = new Kind<HolderSetId, { readonly object: Hex32; version: number }>('holder set');
  readonly datasets = new Kind<DatasetId, IndexedDataset>('dataset');
  readonly contributions = new Kind<ContributionId, IndexedContribution>('contribution');
  readonly grants = new Kind<GrantId, { readonly contributionId: ContributionId }>('grant');
  readonly jobs = new Kind<JobId, IndexedJob>('job');
  readonly proposals = new Kind<ProposalId, IndexedProposal>('proposal');
  readonly epochs = new Kind<EpochId, IndexedEpoch>('epoch');
  readonly offers = new Kind<LicenceId, { readonly daoId: DaoId; readonly datasetId: DatasetId }>('licence offer');
  readonly licences = new Kind<LicenceId, { readonly object: Hex32; readonly daoId: DaoId }>('licence');
  /** Of rights to upgrade a package, which anybody can lock up; `ours` is the one over the package in use. */
  readonly timelocks = new Kind<Hex32, { readonly ours: boolean }>('upgrade timelock');
  /** The registry, once its opening was seen; nothing of a DAO can have happened before. */
  registry: { readonly object: Hex32; readonly chainId: string; readonly protocolAccount: Address } | null = null;

  constructor(
    /** The versions of our package that this deployment names. */
    readonly packageIds: readonly Hex32[],
  ) {}
}
