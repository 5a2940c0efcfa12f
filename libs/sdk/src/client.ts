import {
  systemClock,
  systemRandom,
  type Address,
  type Clock,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type EpochId,
  type GrantId,
  type HolderSetId,
  type JobId,
  type ProposalId,
  type QuestionId,
  type RandomSource,
} from '@usufruct/kernel';
import type { Chain, WalletSigner } from '@usufruct/chain';
import type {
  Answer,
  AnswerRules,
  ApplicationView,
  DaoPolicy,
  ErasureReceipt,
  HolderMember,
  PayoutProof,
  VoteChoice,
} from '@usufruct/protocol';
import type { BlobStore } from '@usufruct/walrus';
import type { Fetch } from './api/http.js';
import { activityOf } from './activity.js';
import { anomaliesOf } from './anomalies.js';
import { ApiSession } from './api/session.js';
import { Asker, type AskerOptions } from './asker/asker.js';
import { askerPorts } from './asker/ports.js';
import type { JsonObject } from '@usufruct/consent';
import { datasetCroissant, offerOfDataset, offerOfGrant, type CroissantOptions } from './catalogue-documents.js';
import { issueConsentReceipt, judgeConsentReceipt, type ConsentReceiptParams } from './consent-documents.js';
import type { ClientContext, HolderEndpoint, OpenCustody, SecretSealer, StorageTerms } from './context.js';
import { keyModeOf, keyModesOf } from './contribute/key-modes.js';
import { copyStorage, type CopyOptions } from './contribute/copy.js';
import { custodyOf, putInCustody, withdrawFromCustody } from './contribute/custody.js';
import { repairStorage, type RepairOptions } from './contribute/repair.js';
import { contributeMany } from './contribute/quilts/many.js';
import { storeTogether } from './contribute/quilts/store-together.js';
import { renewLease, tombstoneContribution } from './contribute/retire.js';
import { abandonContribution, contribute, type ContributeParams } from './contribute/contribute.js';
import {
  createDao,
  createDataset,
  createHolderSet,
  decideContribution,
  setAnswerRules,
  type CreateDaoParams,
  type CreateDatasetParams,
  type CreateHolderSetParams,
} from './dao.js';
import { listDatasets } from './datasets.js';
import { eraseContribution, planErasure, verifyErasure } from './erasure/erase.js';
import { claimPayout, objectToEpoch, proveEquivocation, sweepEpoch, type SignedEpochStatement } from './epochs.js';
import { historyOf, policyVersionsOf, treasuryOf } from './governance/history.js';
import {
  draftRotation,
  holderSetVersions,
  membersAt,
  rotateHolderSet,
  signRotation,
  tombstoneHolder,
  type RotationDraft,
} from './governance/holder-sets.js';
import {
  applyForMembership,
  decideApplication,
  listMembers,
  membershipOf,
  pauseDao,
  setRoles,
} from './governance/members.js';
import { changeMeasurement, setPolicy, type MeasurementChange, type Way } from './governance/policy.js';
import {
  executeProposal,
  listProposals,
  proposalStatus,
  propose,
  vote,
  votedHere,
  type ProposalStatus,
  type ProposeParams,
} from './governance/proposals.js';
import { listSigners } from './governance/signers.js';
import { proposalWords, statementsOf } from './governance/words.js';
import { explainUse, giveGrant, revokeGrant, type GiveGrantParams, type UseToExplain } from './grants.js';
import { fundJob, quoteJob, type FundParams, type JobTerms } from './jobs/fund.js';
import { JobSession } from './jobs/session.js';
import type { Journal } from './journal.js';
import { buyLicence, licenceOffers, listLicences, type BuyLicenceParams } from './licences.js';
import { ledgerEntries, listContributions, reconcile } from './payouts.js';
import { claimAll, privatePayouts } from './private-payouts.js';
import { collectRefusal } from './receipt/refusal.js';
import {
  collectEvidence,
  collectSettled,
  listReceipts,
  readReceipt,
  type ReceiptToCollect,
} from './receipt/collect.js';
import { releasesOf } from './releases.js';
import { planRevocation, revokeByPlan, type RevocationPlan, type RevocationScope } from './revocation.js';
import { reshare } from './resharing/drive.js';
import { lookAt } from './resharing/look.js';
import { planFor } from './resharing/plan.js';
import type { ReshareOptions } from './resharing/report.js';
import { SealingKeys } from './sealing-keys.js';
import { contributionStorage, daoStorage, inviteLeaseKeeper } from './storage.js';
import { upgradesOf } from './upgrades.js';
import { walkersOf } from './walkers.js';

export interface ConnectOptions {
  /** Without `/graphql` and without a trailing slash. */
  readonly apiUrl: string;
  /** The client's own view of the chain: the API's word is not needed for anything about keys or money. */
  readonly chain: Chain;
  readonly store: BlobStore;
  readonly holders: readonly HolderEndpoint[];
  readonly signer: WalletSigner;
  readonly journal: Journal;
  /** PEM of the root of a software TEE (a stand-in): refused with `STAND_IN_FORBIDDEN` where the chain is none. */
  readonly teeDevRoot?: string;
  /** Where the user believes to sign in (a portal's host); a challenge that names another domain is not signed. */
  readonly signInDomain?: string;
  /** For contributions whose keys Seal's servers are to give out; without it that mode is refused. */
  readonly secretSealer?: SecretSealer;
  /** How what is contributed is stored. */
  readonly storage?: StorageTerms;
  /** Where `Blob` objects can be given into custody; without it that is refused. */
  readonly custody?: OpenCustody;
  readonly fetch?: Fetch;
  readonly clock?: Clock;
  readonly random?: RandomSource;
}

/** A client for one wallet. Nothing is asked of anybody until a method is called. */
export function connect(options: ConnectOptions): UsufructClient {
  const { chain, store, holders, signer, journal, teeDevRoot, signInDomain, secretSealer } = options;
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const apiUrl = options.apiUrl.replace(/\/+$/, '');
  const chainId = async (): Promise<string> => (await chain.info()).chainId;
  const api = new ApiSession({
    apiUrl,
    fetch,
    signer,
    clock,
    journal,
    chainId,
    ...(signInDomain !== undefined && { domain: signInDomain }),
  });
  const trimmed = holders.map(({ url }) => ({ url: url.replace(/\/+$/, '') }));
  return new UsufructClient({
    api,
    chain,
    store,
    holders: trimmed,
    signer,
    journal,
    sealingKeys: new SealingKeys(),
    fetch,
    clock,
    random,
    ...(teeDevRoot !== undefined && { teeDevRoot }),
    ...(secretSealer !== undefined && { secretSealer }),
    ...(options.storage !== undefined && { storage: options.storage }),
    ...(options.custody !== undefined && { custody: options.custody }),
  });
}

/** Of so many jobs the session is kept: of one that is asked for again after that, the runner is appraised anew. */
const SESSIONS_KEPT = 64;

/** The whole client, by stage of the data's path. The functions behind it say what each does, proves and refuses. */
export class UsufructClient {
  private readonly sessions = new Map<JobId, JobSession>();

  constructor(private readonly context: ClientContext) {}

  get address(): Address {
    return this.context.signer.address;
  }
  get chain(): Chain {
    return this.context.chain;
  }
  /** Sign-in, and typed GraphQL operations for what has no method here. */
  get api(): ApiSession {
    return this.context.api;
  }

  readonly daos = {
    createHolderSet: (params: CreateHolderSetParams) => createHolderSet(this.context, params),
    create: (params: CreateDaoParams) => createDao(this.context, params),
    setPolicy: (daoId: DaoId, expectedVersion: number, policy: DaoPolicy) =>
      setPolicy(this.context, daoId, expectedVersion, policy),
    changeMeasurement: (change: MeasurementChange, way: Way) => changeMeasurement(this.context, change, way),
    pause: (daoId: DaoId) => pauseDao(this.context, daoId),
    treasury: (daoId: DaoId) => treasuryOf(this.context, daoId),
    signers: (daoId: DaoId) => listSigners(this.context, daoId),
    history: (daoId: DaoId) => historyOf(this.context, daoId),
    /** Runners that key holders refused because no job can need what they asked for. */
    anomalies: (daoId: DaoId) => anomaliesOf(this.context, daoId),
    /** Askers who seem to walk through a dataset, as runners have signed it. */
    walkers: (daoId: DaoId) => walkersOf(this.context, daoId),
    /** The lease keeper's book for a DAO, and how it comes to renew leases there. */
    storage: (daoId: DaoId) => daoStorage(this.context, daoId),
    inviteLeaseKeeper: (daoId: DaoId) => inviteLeaseKeeper(this.context, daoId),
    policyVersions: (daoId: DaoId) => policyVersionsOf(this.context, daoId),
  };

  /** The contracts themselves. */
  readonly contracts = {
    upgrades: () => upgradesOf(this.context),
  };

  readonly members = {
    of: (daoId: DaoId, address: Address = this.context.signer.address) => membershipOf(this.context, daoId, address),
    list: (daoId: DaoId) => listMembers(this.context, daoId),
    applications: (daoId: DaoId) => this.context.chain.applicationsOf(daoId),
    statements: (daoId: DaoId, applications: readonly ApplicationView[]) =>
      statementsOf(this.context, daoId, applications),
    apply: (daoId: DaoId, statement: string) => applyForMembership(this.context, daoId, statement),
    decide: (daoId: DaoId, applicant: Address, accept: boolean) =>
      decideApplication(this.context, daoId, applicant, accept),
    setRoles: (daoId: DaoId, member: Address, roles: number) => setRoles(this.context, daoId, member, roles),
  };

  readonly proposals = {
    propose: (params: ProposeParams) => propose(this.context, params),
    status: (proposalId: ProposalId) => proposalStatus(this.context, proposalId),
    list: (daoId: DaoId) => listProposals(this.context, daoId),
    words: (daoId: DaoId, proposals: readonly ProposalStatus[]) => proposalWords(this.context, daoId, proposals),
    vote: (proposalId: ProposalId, choice: VoteChoice) => vote(this.context, proposalId, choice),
    /** What this client has voted; null when it has not, or did so from elsewhere. */
    voted: (proposalId: ProposalId) => votedHere(this.context, proposalId),
    execute: (proposalId: ProposalId) => executeProposal(this.context, proposalId),
  };

  readonly holderSets = {
    versions: (id: HolderSetId) => holderSetVersions(this.context, id),
    membersAt: (urls: readonly string[]) => membersAt(this.context, urls),
    draftRotation: (id: HolderSetId, members: readonly HolderMember[], threshold: number) =>
      draftRotation(this.context, id, members, threshold),
    signRotation: (draft: RotationDraft, secretKey: Uint8Array) => signRotation(this.context, draft, secretKey),
    rotate: (draft: RotationDraft) => rotateHolderSet(this.context, draft),
    /** Who answers, and what is left to be shared again for the version that is. */
    lookAtShares: async (id: HolderSetId, moreUrls: readonly string[] = []) => {
      const look = await lookAt(this.context, id, moreUrls);
      return { look, plan: planFor(look) };
    },
    reshare: (options: ReshareOptions) => reshare(this.context, options),
    tombstone: (id: HolderSetId, signingKey: string) => tombstoneHolder(this.context, id, signingKey),
  };

  readonly datasets = {
    create: (params: CreateDatasetParams) => createDataset(this.context, params),
    /** What answers may show of it from now on, by a steward. */
    setAnswerRules: (datasetId: DatasetId, rules: AnswerRules) => setAnswerRules(this.context, datasetId, rules),
    accept: (contributionId: ContributionId) => decideContribution(this.context, contributionId, true),
    decline: (contributionId: ContributionId) => decideContribution(this.context, contributionId, false),
    croissant: (datasetId: DatasetId, options: CroissantOptions) => datasetCroissant(this.context, datasetId, options),
    /** The API's catalogue. */
    list: () => listDatasets(this.context),
    offer: (datasetId: DatasetId) => offerOfDataset(this.context, datasetId),
    /** Who gives out the keys of its contributions: holders, or Seal's key servers. */
    keyModes: (datasetId: DatasetId) => keyModesOf(this.context, datasetId),
  };

  readonly contributions = {
    contribute: (params: ContributeParams) => contribute(this.context, params),
    /** Ahead of contributing each: the small ones of many files are stored in quilts, where that costs less. */
    storeTogether: (files: readonly ContributeParams[]) => storeTogether(this.context, files),
    contributeMany: (files: readonly ContributeParams[]) => contributeMany(this.context, files),
    abandon: (key: string) => abandonContribution(this.context, key),
    list: (filter: { readonly datasetId?: DatasetId; readonly owner?: Address }) =>
      listContributions(this.context, filter),
    /** Who gives out its key; null where its manifest cannot be read. */
    keyMode: async (contributionId: ContributionId) =>
      keyModeOf(this.context, await this.context.chain.contribution(contributionId)),
    releases: (contributionId: ContributionId) => releasesOf(this.context, contributionId),
    /** Uses, releases, refusals and payments, by the chain and the key holders' own logs. */
    activity: (contributionId: ContributionId) => activityOf(this.context, contributionId),
    tombstone: (contributionId: ContributionId) => tombstoneContribution(this.context, contributionId),
    planErasure: (contributionId: ContributionId) => planErasure(this.context, contributionId),
    erase: (contributionId: ContributionId) => eraseContribution(this.context, contributionId),
    /** With the chain; `judgeErasure` does without. */
    verifyErasure: (receipt: ErasureReceipt) => verifyErasure(this.context, receipt),
    renew: (contributionId: ContributionId, endEpoch: number) => renewLease(this.context, contributionId, endEpoch),
    storage: (contributionId: ContributionId) => contributionStorage(this.context, contributionId),
    /** The owner's own copy of the ciphertext, from which `repair` puts back what the store loses. */
    copy: (options: CopyOptions) => copyStorage(this.context, options),
    repair: (options: RepairOptions) => repairStorage(this.context, options),
    /** Which of its `Blob` objects the DAO's dataset keeps. */
    custody: (contributionId: ContributionId) => custodyOf(this.context, contributionId),
    putInCustody: (contributionId: ContributionId) => putInCustody(this.context, contributionId),
    withdrawFromCustody: (contributionId: ContributionId, options?: { readonly isDeleted?: boolean }) =>
      withdrawFromCustody(this.context, contributionId, options),
  };

  readonly grants = {
    give: (params: GiveGrantParams) => giveGrant(this.context, params),
    revoke: (grantId: GrantId) => revokeGrant(this.context, grantId),
    /** What would have to be signed so that a purpose, or any, is allowed no more. */
    planRevocation: (scope: RevocationScope) => planRevocation(this.context, scope),
    revokeByPlan: (plan: RevocationPlan) => revokeByPlan(this.context, plan),
    list: (contributionId: ContributionId) => this.context.chain.grantsOf(contributionId),
    explain: (contributionId: ContributionId, use: UseToExplain) => explainUse(this.context, contributionId, use),
    offer: (grantId: GrantId) => offerOfGrant(this.context, grantId),
    receipt: (params: ConsentReceiptParams) => issueConsentReceipt(this.context, params),
    /** Also compares with the chain; `judgeOffline` does without. */
    judgeReceipt: (receipt: JsonObject, options?: { readonly isUnsignedAllowed?: boolean }) =>
      judgeConsentReceipt(this.context, receipt, options),
  };

  readonly jobs = {
    quote: (terms: JobTerms) => quoteJob(this.context, terms),
    fund: (params: FundParams) => fundJob(this.context, params),
    /** The same object for the same job, while it is in use: its runner is appraised once for many questions. */
    session: (jobId: JobId): JobSession => {
      const session = this.sessions.get(jobId) ?? new JobSession(this.context, jobId);
      // In the order of use.
      this.sessions.delete(jobId);
      this.sessions.set(jobId, session);
      const [oldest] = this.sessions.keys();
      if (this.sessions.size > SESSIONS_KEPT && oldest !== undefined) this.sessions.delete(oldest);
      return session;
    },
  };

  /** Asks any dataset within a limit on spending, and opens the sessions for that by itself. */
  asker(options: AskerOptions): Asker {
    return new Asker(askerPorts(this.context), options);
  }

  readonly receipts = {
    read: (jobId: JobId, questionId: QuestionId) => readReceipt(this.context, jobId, questionId),
    list: (jobId: JobId) => listReceipts(this.context, jobId),
    /** What `verifyRefusal` judges, read from the chain. */
    collectRefusal: (given: { readonly refusal: string; readonly signature: string }) =>
      collectRefusal(this.context, given),
    /** What `verifyReceipt` judges, read from the chain. */
    collect: (given: ReceiptToCollect) => collectEvidence(this.context, given),
    collectSettled: (jobId: JobId, questionId: QuestionId, answer: Answer | null = null) =>
      collectSettled(this.context, jobId, questionId, answer),
  };

  readonly payouts = {
    entries: (account: Address = this.context.signer.address) => ledgerEntries(this.context, account),
    reconcile: () => reconcile(this.context),
    epochs: (daoId: DaoId) => this.context.chain.epochsOf(daoId),
    /** The signer's own leaves, from the key holders; of one DAO, or of all that it has contributed to. */
    fetch: (daoId?: DaoId) => privatePayouts(this.context, daoId),
    claim: (proof: PayoutProof) => claimPayout(this.context, proof),
    /** Everything that can be claimed now. */
    claimAll: (daoId?: DaoId) => claimAll(this.context, daoId),
    object: (epochId: EpochId, member: number) => objectToEpoch(this.context, epochId, member),
    prove: (epochId: EpochId, other: SignedEpochStatement) => proveEquivocation(this.context, epochId, other),
    sweep: (epochId: EpochId) => sweepEpoch(this.context, epochId),
  };

  readonly licences = {
    offers: (daoId: DaoId) => licenceOffers(this.context, daoId),
    buy: (params: BuyLicenceParams) => buyLicence(this.context, params),
    list: (filter: { readonly licensee?: Address; readonly daoId?: DaoId }) => listLicences(this.context, filter),
  };
}
