import type { Chain, PreparedTransaction } from '@usufruct/chain';
import {
  refuse,
  type Address,
  type AmountUnits,
  type DaoId,
  type Digest,
  type EpochId,
  type Hex32,
  type JobId,
  type QuestionId,
  type TimestampMs,
} from '@usufruct/kernel';
import {
  EMPTY_RECEIPT_CHAIN,
  receiptPoolAccountOf,
  type ApplicationView,
  type ChainAction,
  type ChainEvent,
  type ChainEventData,
  type ChainInfo,
  type ContributionView,
  type DaoView,
  type DatasetView,
  type EpochView,
  type GrantView,
  type HolderSetView,
  type JobView,
  type LicenceOfferView,
  type LicenceView,
  type MemberView,
  type ProposalView,
  type ReceiptPoolView,
  type RunnerView,
  type SignerView,
  type TransactionOutcome,
} from '@usufruct/protocol';
import { idOf, TEST_NOW_MS } from './values.js';

export const testChainInfo = (changes: Partial<ChainInfo> = {}): ChainInfo => ({
  chainId: 'local:test',
  packageId: idOf<Hex32>('package'),
  registryId: idOf<Hex32>('registry'),
  coin: { type: 'local::usdc::USDC', symbol: 'USDC', decimals: 6 },
  protocolAccount: idOf('protocol'),
  standIn: true,
  ...changes,
});

const emptyPool = (daoId: DaoId): ReceiptPoolView => ({
  daoId,
  account: receiptPoolAccountOf(daoId),
  receiptCount: 0n,
  pooledUnits: 0n as AmountUnits,
  receiptChain: EMPTY_RECEIPT_CHAIN,
  coveredReceipts: 0n,
  epochCount: 0n,
});

/**
 * A chain in memory, set by the test and read by the code under test. It holds no rules: what a test puts there is
 * the truth. Transactions are recorded in `executed` and always succeed, unless `isDown`, when everything throws
 * `CHAIN_UNAVAILABLE`.
 */
export class FakeChain implements Chain {
  isDown = false;
  readonly executed: (readonly ChainAction[])[] = [];
  /** How many reads were answered, for tests of caching. */
  reads = 0;
  private readonly objects = new Map<string, unknown>();
  private readonly contributionViews = new Map<string, ContributionView>();
  private readonly grants = new Map<string, GrantView>();
  private readonly members = new Map<string, MemberView>();
  private readonly applications = new Map<DaoId, ApplicationView[]>();
  private readonly proposals = new Map<string, ProposalView>();
  private readonly epochs = new Map<string, EpochView>();
  private readonly pools = new Map<DaoId, ReceiptPoolView>();
  private readonly claims = new Set<string>();
  private readonly settled = new Map<string, Digest>();
  private readonly prepared = new Map<Digest, readonly ChainAction[]>();
  private readonly outcomes = new Map<Digest, TransactionOutcome>();

  private readonly kept: ChainEvent[] = [];

  constructor(private chainInfo: ChainInfo = testChainInfo()) {}

  put(kind: 'dao', view: DaoView): this;
  put(kind: 'dataset', view: DatasetView): this;
  put(kind: 'contribution', view: ContributionView): this;
  put(kind: 'grant', view: GrantView): this;
  put(kind: 'holder-set', view: HolderSetView): this;
  put(kind: 'job', view: JobView): this;
  put(kind: 'runner', view: RunnerView): this;
  put(kind: 'proposal', view: ProposalView): this;
  put(kind: 'signer', view: SignerView): this;
  put(kind: 'epoch', view: EpochView): this;
  put(kind: 'licence-offer', view: LicenceOfferView): this;
  put(kind: 'licence', view: LicenceView): this;
  put(kind: string, view: { readonly id: string }): this {
    this.objects.set(`${kind}/${view.id}`, view);
    if (kind === 'contribution') this.contributionViews.set(view.id, view as ContributionView);
    if (kind === 'grant') this.grants.set(view.id, view as GrantView);
    if (kind === 'proposal') this.proposals.set(view.id, view as ProposalView);
    if (kind === 'epoch') this.epochs.set(view.id, view as EpochView);
    return this;
  }

  putMember(daoId: DaoId, view: MemberView): this {
    this.members.set(`${daoId}/${view.address}`, view);
    return this;
  }

  /** What `applicationsOf` answers from now on. */
  setApplications(daoId: DaoId, views: readonly ApplicationView[]): this {
    this.applications.set(daoId, [...views]);
    return this;
  }

  setReceiptPool(view: ReceiptPoolView): this {
    this.pools.set(view.daoId, view);
    return this;
  }

  setClaimed(epochId: EpochId, index: number): this {
    this.claims.add(`${epochId}/${index}`);
    return this;
  }

  setSettled(jobId: JobId, questionId: QuestionId, receiptDigest: Digest): this {
    this.settled.set(`${jobId}/${questionId}`, receiptDigest);
    return this;
  }

  /** What happened, for `events`: numbered in the order of the calls. */
  putEvent(data: ChainEventData, sender: Address, atMs: TimestampMs = TEST_NOW_MS): this {
    const seq = this.kept.length + 1;
    this.kept.push({ seq, transaction: idOf<Digest>(`event ${seq}`), sender, atMs, data });
    return this;
  }

  /** As if it had never been there. */
  remove(kind: string, id: string): this {
    this.objects.delete(`${kind}/${id}`);
    return this;
  }

  info = (): Promise<ChainInfo> => this.read(() => this.chainInfo);
  dao: Chain['dao'] = (id) => this.object('dao', id);
  member: Chain['member'] = (daoId, address) => this.read(() => this.members.get(`${daoId}/${address}`) ?? null);
  applicationsOf: Chain['applicationsOf'] = (daoId) => this.read(() => this.applications.get(daoId) ?? []);
  proposal: Chain['proposal'] = (id) => this.object('proposal', id);
  proposalsOf: Chain['proposalsOf'] = (daoId) =>
    this.read(() => [...this.proposals.values()].filter((view) => view.daoId === daoId));
  signer: Chain['signer'] = (_daoId, id) => this.object('signer', id);
  receiptPool: Chain['receiptPool'] = (daoId) => this.read(() => this.pools.get(daoId) ?? emptyPool(daoId));
  licenceOffer: Chain['licenceOffer'] = (id) => this.object('licence-offer', id);
  licence: Chain['licence'] = (id) => this.object('licence', id);
  epoch: Chain['epoch'] = (id) => this.object('epoch', id);
  epochsOf: Chain['epochsOf'] = (daoId) =>
    this.read(() => [...this.epochs.values()].filter((view) => view.daoId === daoId));
  isClaimed: Chain['isClaimed'] = (epochId, index) => this.read(() => this.claims.has(`${epochId}/${index}`));
  dataset: Chain['dataset'] = (id) => this.object('dataset', id);
  contribution: Chain['contribution'] = (id) => this.object('contribution', id);
  grant: Chain['grant'] = (id) => this.object('grant', id);
  holderSet: Chain['holderSet'] = (id) => this.object('holder-set', id);
  job: Chain['job'] = (id) => this.object('job', id);
  runner: Chain['runner'] = (_daoId, id) => this.object('runner', id);
  contributionsOf: Chain['contributionsOf'] = (datasetId) =>
    this.read(() => [...this.contributionViews.values()].filter((view) => view.datasetId === datasetId));
  contributions: Chain['contributions'] = (ids) =>
    this.read(() => ids.map((id) => (this.objects.get(`contribution/${id}`) as ContributionView | undefined) ?? null));
  grantsOfEach: Chain['grantsOfEach'] = (ids) => Promise.all(ids.map((id) => this.grantsOf(id)));
  grantsOf: Chain['grantsOf'] = (contributionId) =>
    this.read(() =>
      [...this.grants.values()]
        .filter((view) => view.contributionId === contributionId)
        .sort((a, b) => a.givenAtMs - b.givenAtMs),
    );
  settledReceipt: Chain['settledReceipt'] = (jobId, questionId) =>
    this.read(() => this.settled.get(`${jobId}/${questionId}`) ?? null);
  balanceOf: Chain['balanceOf'] = () => this.read(() => 0n as AmountUnits);
  events: Chain['events'] = (after, { limit = Infinity } = {}) =>
    this.read(() => this.kept.slice(after, after + limit));
  transaction: Chain['transaction'] = (digest) => this.read(() => this.outcomes.get(digest) ?? null);

  prepare: Chain['prepare'] = (actions) =>
    this.read((): PreparedTransaction => {
      const digest = idOf<Digest>(`transaction-${this.prepared.size}`);
      this.prepared.set(digest, actions);
      return { digest, bytes: new Uint8Array(), signature: '' };
    });
  send: Chain['send'] = ({ digest }) =>
    this.read(() => {
      const known = this.outcomes.get(digest);
      if (known !== undefined) return known;
      this.executed.push(this.prepared.get(digest) ?? []);
      const outcome: TransactionOutcome = { digest, status: 'succeeded', error: null, events: [], atMs: TEST_NOW_MS };
      this.outcomes.set(digest, outcome);
      return outcome;
    });
  execute: Chain['execute'] = async (actions, signer) => this.send(await this.prepare(actions, signer));

  private object<T>(kind: string, id: string): Promise<T> {
    return this.read(() => {
      const view = this.objects.get(`${kind}/${id}`);
      if (view === undefined) throw refuse('NOT_FOUND', { kind, id });
      return view as T;
    });
  }

  private async read<T>(answer: () => T): Promise<T> {
    if (this.isDown) throw refuse('CHAIN_UNAVAILABLE');
    this.reads++;
    return structuredClone(answer());
  }
}
