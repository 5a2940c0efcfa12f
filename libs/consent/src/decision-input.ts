import type { Address, AmountUnits } from '@usufruct/kernel';
import type {
  AttestationResult,
  ComputationKind,
  ContributionView,
  DaoView,
  DatasetView,
  GrantView,
  JobView,
  LicenceView,
  Manifest,
  ProtectionKind,
} from '@usufruct/protocol';

/** What somebody wants to do. A `JobView` is one. */
export interface Use {
  readonly datasetId: JobView['datasetId'];
  readonly daoId: JobView['daoId'];
  readonly purpose: string;
  readonly kind: ComputationKind;
  readonly protection: ProtectionKind;
  readonly pricePerQuestionUnits: AmountUnits;
  /** Who asks. Needed where a licence is judged: it belongs to whoever bought it. */
  readonly requester?: Address;
}

/** Privacy budget of this contribution, in millionths of ε. */
export interface BudgetView {
  readonly neededMicroEpsilon: bigint;
  /** Committed and reserved, by this job and others. */
  readonly spentMicroEpsilon: bigint;
}

/** What a verifier made of the evidence. An `AttestationResult` is one. */
export type Attested = Pick<AttestationResult, 'ok' | 'claims' | 'policyDigest' | 'expiresAtMs'>;

/**
 * What a caller may not know. What is left out is not judged, and a yes says so; a caller that must know all of it
 * names it in `mustJudge`.
 */
export const DECISION_PARTS = ['manifest', 'budget', 'licences', 'job', 'attestation'] as const;
export type DecisionPart = (typeof DECISION_PARTS)[number];

export interface DecisionInput {
  readonly contribution: ContributionView;
  /** That the contribution is part of. */
  readonly dataset: Pick<DatasetView, 'id' | 'tombstonedAtMs'>;
  /** Every grant of the contribution, in any order, revoked and expired ones included. */
  readonly grants: readonly GrantView[];
  readonly dao: Pick<DaoView, 'id' | 'policy' | 'paused'>;
  readonly use: Use;
  /** The funded job; leave it out only for advice before there is one. */
  readonly job?: Pick<JobView, 'state' | 'expiresAtMs'>;
  /** The manifest that the caller holds; left out where only the chain is known (advice). */
  readonly manifest?: Pick<Manifest, 'datasetId' | 'contributionId' | 'owner'> & {
    readonly digest: ContributionView['manifestDigest'];
  };
  /** Must be given for training and statistics; a question by RAG spends none. */
  readonly budget?: BudgetView;
  /** Given where somebody demands a licence: one of them must be the requester's, for this use. */
  readonly licences?: readonly LicenceView[];
  /** What was found about whoever would get the key; left out where nobody would (advice). */
  readonly attestation?: Attested;
  /** Parts without which the answer is no: a holder that releases keys names `job` and `attestation`. */
  readonly mustJudge?: readonly DecisionPart[];
  readonly nowMs: number;
}

/** Of a decision, what is not about one contribution. */
export type UseInput = Omit<DecisionInput, 'contribution' | 'grants' | 'manifest'>;
