import type { ErrorCode } from '@usufruct/kernel';

/** The families of refusals, as GraphQL types. A client that knows a family knows whom to turn to. */
export const REFUSAL_FAMILIES = {
  InputRefusal:
    'The request is not of the expected form, names nothing that exists, or repeats a key with another body.',
  AuthRefusal: 'Who asks is unknown, or may not do this.',
  GovernanceRefusal: 'The members of the DAO must decide this, or have decided otherwise.',
  ConsentRefusal: "A grant, or the DAO's decision, is missing for this use.",
  AttestationRefusal: 'The runner did not prove what it must, or its key is no longer current.',
  JobRefusal: 'The job is in a state, or past a limit, that does not allow this.',
  PaymentRefusal: 'The money does not suffice, or its settlement is not known.',
  UnavailableRefusal: 'A part of the system does not answer; the same request may succeed later.',
} as const;
export type RefusalFamily = keyof typeof REFUSAL_FAMILIES;

const MEMBERS: Readonly<Record<Exclude<RefusalFamily, 'InputRefusal'>, readonly ErrorCode[]>> = {
  AuthRefusal: [
    'UNAUTHENTICATED',
    'FORBIDDEN',
    'SIGNATURE_INVALID',
    'CHALLENGE_EXPIRED',
    'CHALLENGE_USED',
    'CHALLENGE_UNKNOWN',
    'TOKEN_REUSED',
    'WRONG_WALLET',
  ],
  GovernanceRefusal: ['DAO_PAUSED', 'BY_VOTE_ONLY', 'ALREADY_MEMBER', 'ALREADY_VOTED', 'NO_VOTE', 'PROPOSAL_STATE'],
  ConsentRefusal: [
    'GRANT_REQUIRED',
    'GRANT_EXPIRED',
    'GRANT_REVOKED',
    'PURPOSE_DENIED',
    'SCOPE_MISMATCH',
    'PRICE_BELOW_FLOOR',
    'BUDGET_EXHAUSTED',
    'LICENCE_REQUIRED',
    'LICENCE_EXPIRED',
    'CONTRIBUTION_NOT_ACCEPTED',
    'NO_USABLE_DATA',
    'REACH_LIMIT',
    'DATA_WITHDRAWN',
    'ALREADY_DECIDED',
    'DATASET_MISMATCH',
    'MANIFEST_MISMATCH',
    'TOMBSTONED',
  ],
  AttestationRefusal: [
    'ATTESTATION_REFUSED',
    'ATTESTATION_STALE',
    'ATTESTATION_UNENDORSED',
    'PROFILE_UNSUPPORTED',
    'RUNNER_NOT_REGISTERED',
  ],
  JobRefusal: ['JOB_STATE', 'JOB_EXPIRED', 'QUESTION_LIMIT', 'QUESTION_UNKNOWN', 'POLICY_OUTDATED'],
  PaymentRefusal: [
    'PAYMENT_REQUIRED',
    'INSUFFICIENT_BALANCE',
    'SPENDING_LIMIT',
    'RECEIPT_INVALID',
    'RECEIPT_CONSUMED',
    'SETTLEMENT_UNKNOWN',
    'SPLIT_INVALID',
    'TRANSACTION_EXPIRED',
    'EPOCH_STATE',
    'EPOCH_INVALID',
    'CLAIM_INVALID',
    'ALREADY_CLAIMED',
  ],
  UnavailableRefusal: [
    'RATE_LIMITED',
    'IDEMPOTENCY_IN_PROGRESS',
    'RUNNER_UNAVAILABLE',
    'GENERATOR_UNAVAILABLE',
    'STREAM_BROKEN',
    'CHAIN_UNAVAILABLE',
    'CHAIN_EVENTS_BROKEN',
    'UPSTREAM_UNAVAILABLE',
    'UPSTREAM_INVALID',
    'BLOB_UNAVAILABLE',
    'BLOB_LOST',
    'SHARES_INSUFFICIENT',
  ],
};

/** Faults of this service are no refusals: they are GraphQL errors, with nothing but their code. */
const FAULTS: readonly ErrorCode[] = ['INTERNAL', 'CONFIG_INVALID', 'STAND_IN_FORBIDDEN'];

const families = new Map<ErrorCode, RefusalFamily>(
  (Object.keys(MEMBERS) as (keyof typeof MEMBERS)[]).flatMap((family) =>
    MEMBERS[family].map((code): [ErrorCode, RefusalFamily] => [code, family]),
  ),
);

/** The family of a code, or null for a fault. What is in no other family is about the request. */
export const familyOf = (code: ErrorCode): RefusalFamily | null =>
  FAULTS.includes(code) ? null : (families.get(code) ?? 'InputRefusal');
