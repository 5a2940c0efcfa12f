export type { HolderAnomalies } from './anomalies.js';
export type { Walkers } from './walkers.js';
export type { Activity, HolderDecision, JobRequests, PublicUse } from './activity.js';
export { operation, requestGraphql, resultOf, valueOrThrow, REFUSAL_FIELDS } from './api/graphql.js';
export type { GraphqlRequest, Operation } from './api/graphql.js';
export type { Fetch } from './api/http.js';
export type { ApiSession, RequestOptions } from './api/session.js';
export { Asker } from './asker/asker.js';
export type { AskerOptions, AskParams, KnownReceipt, PaidAnswer } from './asker/asker.js';
export {
  askSeveral,
  keyOfEach,
  MOST_DATASETS,
  type AskedPart,
  type AskSeveralOptions,
  type AskSeveralParams,
  type CitedPassage,
  type SeveralAnswers,
} from './asker/several.js';
export type { AskerPorts, AskerSession, AskingTerms } from './asker/ports.js';
export type { Spending } from './asker/budget.js';
export type { AttestedRunner, InspectedRunner } from './attest.js';
export { connect, type ConnectOptions, type UsufructClient } from './client.js';
export type { ListedDataset } from './datasets.js';
export type { CroissantOptions } from './catalogue-documents.js';
export { judgeOffline, type ConsentReceiptParams } from './consent-documents.js';
export type { HolderEndpoint, OpenCustody, SecretSealer, StorageTerms } from './context.js';
export type { BlobWhereabouts } from './contribute/custody.js';
export type { ContributeParams } from './contribute/contribute.js';
export { planQuilts, type QuiltLimits } from './contribute/quilts/plan.js';
export { checkFile, FILE_FORMATS, type FileFormat } from './contribute/format.js';
export { countKeyModes, explainKeyMode, explainKeyModes } from './contribute/key-modes.js';
export type { KeyModeCounts, KeyModesOfDataset } from './contribute/key-modes.js';
export { CONTRIBUTE_STEPS } from './contribute/progress.js';
export type { ContributeProgress, ContributeStep, OnContributeProgress } from './contribute/progress.js';
export type { Contributed } from './contribute/records.js';
export { copyAsSource, type Copied, type CopyOptions } from './contribute/copy.js';
export type { BlobRepair, BlobSource, RepairOptions, StorageRepair } from './contribute/repair.js';
export type { CreateDaoParams, CreateDatasetParams, CreateHolderSetParams } from './dao.js';
export { zPayoutProof, type PayoutProof } from '@usufruct/protocol';
export { checkPayoutProof, zSignedEpochStatement } from './epochs.js';
export type { Claim, SignedEpochStatement } from './epochs.js';
export type { PrivatePayout, PrivatePayouts } from './private-payouts.js';
export type { Erasure, ErasurePlan } from './erasure/erase.js';
export { ERASURE_CHECKS, judgeErasure, type ErasureOnChain } from './erasure/judge.js';
export { erasureRemainsWords, NOT_ERASED_WORDS } from './erasure/words.js';
export { backupsUntil } from './erasure/backups.js';
export { durationText, durationWords, parseDuration } from './governance/duration.js';
export {
  effectTitle,
  explainChange,
  explainEffect,
  explainGovernance,
  explainPayoutRules,
  explainAnswerRules,
  explainDataRules,
  explainStatus,
  roleWords,
  type Words,
} from './governance/explain.js';
export type { PolicyVersion, Treasury, TreasurySpending } from './governance/history.js';
export { holderOperatorKey, holderSigningKey, readRotation, zRotationDraft } from './governance/holder-sets.js';
export type { HolderSetVersion, RotationDraft } from './governance/holder-sets.js';
export type { Membership } from './governance/members.js';
export type { MeasurementChange, MeasurementOutcome, Way } from './governance/policy.js';
export { statusOf, type ProposalStatus, type ProposeParams } from './governance/proposals.js';
export type { ExplainedUse, GiveGrantParams, UseToExplain } from './grants.js';
export { sentencesOf, type AnswerSentence, type AskEvent } from './jobs/ask-stream.js';
export { AnswerPieces, type PiecesOf, type StreamCheck } from './jobs/answer-pieces.js';
export { ASK_STEPS, type Asked, type AskOptions, type AskStep } from './jobs/ask.js';
export type { FundParams, JobTerms } from './jobs/fund.js';
export type { JobEvent, JobProgress, QuestionState, Quote } from './jobs/operations.js';
export type { QuestionParams } from './jobs/question-record.js';
export type { FollowJobOptions, JobSession, PendingQuestion } from './jobs/session.js';
export { memoryJournal, type Journal } from './journal.js';
export type { BuyLicenceParams } from './licences.js';
export type { LedgerEntry, ListedContribution, Reconciliation } from './payouts.js';
export type { ReceiptToCollect, ReceiptView } from './receipt/collect.js';
export { ASKED_CHECKS, type AskedCheck, type AskedFor } from './receipt/asked.js';
export { zReceiptEvidence, type ReceiptEvidence } from './receipt/evidence.js';
export {
  REFUSAL_CHECKS,
  refusalOf,
  verifyRefusal,
  zRefusalEvidence,
  type RefusalCheck,
  type RefusalEvidence,
} from './receipt/refusal.js';
export { decodeReceipt, RECEIPT_CHECKS, verifyReceipt, type ReceiptCheck } from './receipt/verify.js';
export type { DatasetEntry } from './log/judge-log.js';
export type { HolderReleases } from './releases.js';
export type { Revocation, RevocationPlan, RevocationScope, RevocationStep } from './revocation.js';
export type {
  ReshareFault,
  ReshareOptions,
  ReshareProgress,
  ReshareReport,
  WaitingManifests,
} from './resharing/report.js';
export { lookAt, type KnownHoldings, type ReshareContext, type ReshareLook } from './resharing/look.js';
export { planFor, type ResharePlan } from './resharing/plan.js';
export { reshare } from './resharing/drive.js';
export { upgradesOf } from './upgrades.js';
export type { ContributionStorage, DaoStorage } from './storage.js';
