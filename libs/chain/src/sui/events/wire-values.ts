import { fromHex, refuse, toBase64, utf8, type Address, type DaoId } from '@usufruct/kernel';
import {
  CHAIN_JOB_STATES,
  COMPUTATION_KINDS,
  CONTRIBUTION_STATES,
  PAYEE_ROLES,
  PAYOUT_MODES,
  PROTECTION_KINDS,
  SIGNER_KINDS,
  taggedDigest,
  TAGS,
  type ContributionView,
  type DaoPolicy,
  type DaoView,
  type GrantTerms,
  type GrantView,
  type HolderSetView,
  type JobView,
  type LicenceView,
  type OtherSignerKind,
  type Payout,
} from '@usufruct/protocol';
import type { blobReference, payout, use } from '../layout/common.js';
import type { licenceObject, licenceTerms } from '../layout/licence.js';
import type { ValueOf } from '../layout/move-types.js';

/** A code of the contracts as the name that the protocol has for it. Refuses `UPSTREAM_INVALID` for an unknown one. */
export function named<T>(names: readonly T[], code: number, what: string): T {
  const name = names[code];
  if (name === undefined) throw refuse('UPSTREAM_INVALID', { upstream: 'Sui', field: what });
  return name;
}
export const computationOf = (code: number) => named(COMPUTATION_KINDS, code, 'computation kind');
export const protectionOf = (code: number) => named(PROTECTION_KINDS, code, 'protection kind');
export const contributionState = (code: number) => named(CONTRIBUTION_STATES, code, 'state of a contribution');
/** The codes of signers begin with runners, who are registered in another way. */
export function otherSignerKind(code: number): OtherSignerKind {
  const kind = named(SIGNER_KINDS, code, 'signer kind');
  if (kind === 'tee') throw refuse('UPSTREAM_INVALID', { upstream: 'Sui', field: 'signer kind' });
  return kind;
}
export const jobState = (code: number) => named(CHAIN_JOB_STATES, code, 'state of a job');

/** The account of a DAO's treasury: a digest, so nobody has its key. The contracts name it the same way. */
export const treasuryOf = (daoId: DaoId): Address =>
  taggedDigest(TAGS.objectId, utf8('treasury'), fromHex(daoId)) as string as Address;

export const policyView = (policy: DaoPolicy): DaoView['policy'] => structuredClone(policy) as DaoView['policy'];
export const termsView = (terms: GrantTerms): GrantView['terms'] => structuredClone(terms) as GrantView['terms'];

export const blobView = (value: ValueOf<typeof blobReference>): ContributionView['manifestBlob'] => ({
  blob: value.blob,
  sizeBytes: value.size_bytes,
  endEpoch: value.end_epoch,
});
export const useView = (value: ValueOf<typeof use>) => ({
  contributionId: value.contribution_id,
  grantId: value.grant_id,
  weight: value.weight,
});
export const payoutView = (value: ValueOf<typeof payout>): Payout => ({
  account: value.account,
  role: named(PAYEE_ROLES, value.role, "payee's role"),
  contributionId: value.contribution_id,
  amountUnits: value.amount_units,
});

interface MemberLists {
  readonly operators: readonly Address[];
  readonly signing_public_keys: readonly Uint8Array[];
  readonly sealing_public_keys: readonly Uint8Array[];
}
/** The contracts give members as three lists of one length. */
export function memberViews({
  operators,
  signing_public_keys: signing,
  sealing_public_keys: sealing,
}: MemberLists): HolderSetView['members'] {
  if (signing.length !== operators.length || sealing.length !== operators.length) {
    throw refuse('UPSTREAM_INVALID', { upstream: 'Sui', field: 'members of a holder set' });
  }
  return operators.map((operator, i) => ({
    operator,
    signingPublicKey: toBase64(signing[i]!),
    sealingPublicKey: toBase64(sealing[i]!),
  }));
}

interface JobTerms {
  readonly job_id: JobView['id'];
  readonly dao_id: JobView['daoId'];
  readonly dataset_id: JobView['datasetId'];
  readonly requester: Address;
  readonly purpose: string;
  readonly kind: number;
  readonly protection: number;
  readonly policy_version: number;
  readonly price_per_question_units: JobView['pricePerQuestionUnits'];
  readonly split: JobView['split'];
  readonly payout_mode: number;
  readonly max_questions: number;
  readonly client_public_key: Uint8Array;
  readonly funded_at_ms: JobView['fundedAtMs'];
  readonly expires_at_ms: JobView['expiresAtMs'];
}
/** What a job is from its funding on, as the event and the object both say it. */
export const jobTermsView = (job: JobTerms) => ({
  id: job.job_id,
  daoId: job.dao_id,
  datasetId: job.dataset_id,
  requester: job.requester,
  purpose: job.purpose,
  kind: computationOf(job.kind),
  protection: protectionOf(job.protection),
  policyVersion: job.policy_version,
  pricePerQuestionUnits: job.price_per_question_units,
  split: { ...job.split },
  payoutMode: named(PAYOUT_MODES, job.payout_mode, 'payout mode'),
  maxQuestions: job.max_questions,
  clientPublicKey: toBase64(job.client_public_key),
  fundedAtMs: job.funded_at_ms,
  expiresAtMs: job.expires_at_ms,
});

export const licenceTermsView = (terms: ValueOf<typeof licenceTerms>): LicenceView['terms'] => ({
  datasetId: terms.dataset_id,
  purpose: terms.purpose,
  computation: computationOf(terms.kind),
  protection: protectionOf(terms.protection),
  priceUnits: terms.price_units,
  termMs: terms.term_ms,
});
export const licenceView = (licence: Omit<ValueOf<typeof licenceObject>, 'id'>): LicenceView => ({
  id: licence.licence_id,
  offerId: licence.offer_id,
  daoId: licence.dao_id,
  licensee: licence.licensee,
  terms: licenceTermsView(licence.terms),
  boughtAtMs: licence.bought_at_ms,
  expiresAtMs: licence.expires_at_ms,
});
