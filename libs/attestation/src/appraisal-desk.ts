import { refuse, type DaoId, type Hex32, type UsufructError } from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  type AppraisalPolicy,
  type AttestationResult,
  type EvidenceBundle,
} from '@usufruct/protocol';
import { appraiseEvidence, failedChecks } from './appraise.js';
import { teePolicyFor, type TeePolicyBook } from './policy/tee-policy-book.js';
import type { RootSet } from './roots.js';
import type { Appraisal, Endorsements, TeePolicy } from './types.js';

/** Where this verifier gets what the vendors sign; `EndorsementSource` of `@usufruct/endorsements` is one. */
export interface EndorsementPort {
  endorsementsFor(bundle: EvidenceBundle): Promise<{
    readonly endorsements: Endorsements;
    readonly missing: readonly { readonly name: string; readonly reason: string }[];
  }>;
}

export interface DeskOptions {
  readonly roots: RootSet;
  /** Missing: evidence of hardware is refused, since nobody said what is asked of it. */
  readonly policies?: TeePolicyBook | undefined;
  /** Missing: evidence that needs an endorsement is refused. */
  readonly endorsements?: EndorsementPort | undefined;
}

export interface DeskRequest {
  readonly bundle: EvidenceBundle;
  /** Our own, consumed. */
  readonly ownChallenge: Uint8Array;
  /** The job, or the DAO at a registration. */
  readonly jobId: Hex32;
  /** As this verifier reads it from the chain now. */
  readonly dao: { readonly id: DaoId; readonly policy: { readonly appraisal: AppraisalPolicy } };
  readonly nowMs: number;
}

export interface DeskAnswer {
  readonly result: Appraisal;
  /** True where roots or evidence are a stand-in's, also of a result that is not good and has no claims. */
  readonly standIn: boolean;
  /** What the evidence needs and this verifier does not have. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
  /** What it was judged by. Whoever is handed these can judge again: vendors sign the one, the chain pins the other. */
  readonly endorsements: Endorsements;
  readonly teePolicy: TeePolicy | undefined;
}

/**
 * A verifier at work: finds the document that says what the DAO asks of the hardware and what the vendors endorse, and
 * appraises. Both may come from anywhere: the measurement on the chain pins the document, a pinned root the endorsements.
 */
export class AppraisalDesk {
  constructor(private readonly options: DeskOptions) {}

  /** Whether evidence of this profile can say anything about hardware to this verifier. */
  isStandIn(profile: string): boolean {
    return isStandInJudgement({ profile }, this.options.roots);
  }

  async appraise({ bundle, ownChallenge, jobId, dao, nowMs }: DeskRequest): Promise<DeskAnswer> {
    const { roots, policies, endorsements: source } = this.options;
    const policy = dao.policy.appraisal;
    const teePolicy = policies && teePolicyFor(policies, dao.id, appraisalPolicyDigest(policy));
    const { endorsements, missing } = (await source?.endorsementsFor(bundle)) ?? { endorsements: {}, missing: [] };
    const result = await appraiseEvidence(bundle, {
      ownChallenge,
      jobId,
      nowMs,
      policy,
      endorsements,
      roots,
      ...(teePolicy === undefined ? {} : { teePolicy }),
    });
    return { result, standIn: isStandInJudgement(bundle, roots), missing, endorsements, teePolicy };
  }
}

/**
 * Whether a judgement of this bundle under these roots says nothing about hardware, whatever comes of it: generated roots
 * stand in for a vendor's, or the evidence says of itself that software made it.
 */
export const isStandInJudgement = ({ profile }: { readonly profile: string }, roots: RootSet): boolean =>
  roots.standIn || profile === 'software-dev';

/** Checks that fail for what the verifier has not got, or has no longer; the evidence may be good all the same. */
const ENDORSEMENT_CHECKS: readonly string[] = [
  'COLLATERAL',
  'COLLATERAL_STALE',
  'CRL_PARSE',
  'CRL_STALE',
  'RIM_PARSE',
  'RIM_EXPIRED',
  'OCSP_PARSE',
  'OCSP_STALE',
];

/** The part of an answer that a refusal is made of. */
export interface JudgedEvidence extends Pick<DeskAnswer, 'missing'> {
  readonly result: Pick<AttestationResult, 'checks'>;
}

/**
 * Why a result that is not good is refused: `PROFILE_UNSUPPORTED`, `ATTESTATION_UNENDORSED` where nothing failed but what
 * the verifier's own endorsements were to show, else `ATTESTATION_REFUSED`; with the names of the failed checks.
 */
export function appraisalRefusal({ result, missing }: JudgedEvidence): UsufructError {
  const failed = failedChecks(result);
  const checks = failed.join(', ');
  if (failed.includes('PROFILE_UNSUPPORTED')) return refuse('PROFILE_UNSUPPORTED', { checks });
  if (failed.length > 0 && failed.every((name) => ENDORSEMENT_CHECKS.includes(name))) {
    return refuse('ATTESTATION_UNENDORSED', { checks, missing: missing.map(({ name }) => name).join(', ') });
  }
  return refuse('ATTESTATION_REFUSED', { checks });
}
