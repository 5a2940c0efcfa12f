import { asTimestampMs, failed, skipped, toHex, verdictOf, type Check } from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  evidenceDigest,
  type AttestationResult,
  type EvidenceBundle,
  type EvidenceProfile,
} from '@usufruct/protocol';
import { tdxNvidiaInspector } from './composite/inspector.js';
import {
  checkBinding,
  checkClock,
  checkDebug,
  checkMeasurement,
  checkNonce,
  checkPolicy,
  checkProfile,
  decodeBundle,
  isSaneClock,
  NOT_PARSED,
} from './common-checks.js';
import { nitroInspector } from './nitro/inspector.js';
import { snpInspector } from './snp/inspector.js';
import { softwareInspector } from './software/inspect.js';
import { tdxInspector } from './tdx/inspector.js';
import type {
  Appraisal,
  AppraisalContext,
  AppraisedClaims,
  DecodedBundle,
  EvidenceFacts,
  EvidenceInspector,
  EvidenceVerifier,
  Inspection,
} from './types.js';

/** What must have passed, whatever the profile; a skipped one is as bad as a failed one. */
const REQUIRED = [
  'BAD_CLOCK',
  'POLICY',
  'PROFILE',
  'PARSE_BUNDLE',
  'DEBUG',
  'MEASUREMENT',
  'NONCE',
  'BINDING',
] as const;

/** A verifier: the checks that hold for every profile around an inspector that knows one format. */
export function verifierOf(inspector: EvidenceInspector): EvidenceVerifier {
  const required = [...REQUIRED, ...inspector.requiredChecks];
  return {
    profile: inspector.profile,
    appraise: async (bundle, context) => {
      const { decoded, check: parsedBundle } = decodeBundle(bundle);
      const before = [
        checkClock(context.nowMs),
        checkPolicy(context.policy),
        checkProfile(bundle.profile, context.policy),
        parsedBundle,
      ];
      if (decoded === null) return resultOf(context, required, before, null);
      const inspection = isSaneClock(context.nowMs)
        ? await inspector.inspect(bundle, decoded, context)
        : withoutClock();
      const checks = [...before, ...inspection.checks, ...commonChecks(bundle, decoded, inspection, context)];
      const { facts } = inspection;
      return resultOf(context, required, checks, facts && { bundle, decoded, facts, inspector });
    },
  };
}

const withoutClock = (): Inspection => ({ checks: [], facts: null });

function commonChecks(
  bundle: EvidenceBundle,
  decoded: DecodedBundle,
  { checks, facts }: Inspection,
  context: AppraisalContext,
): Check[] {
  const unparsed = (name: string): Check => skipped(name, NOT_PARSED);
  return [
    ...(checks.some(({ name }) => name === 'DEBUG') ? [] : [facts === null ? unparsed('DEBUG') : checkDebug(facts)]),
    facts === null ? unparsed('MEASUREMENT') : checkMeasurement(facts, context.policy),
    checkNonce(decoded, facts, context.ownChallenge),
    checkBinding(bundle, decoded, facts, context),
  ];
}

interface Appraised {
  readonly bundle: EvidenceBundle;
  readonly decoded: DecodedBundle;
  readonly facts: EvidenceFacts;
  readonly inspector: EvidenceInspector;
}

/** Good only if every required check is there and passed and no other failed; then, and only then, there are claims. */
function resultOf(
  context: AppraisalContext,
  required: readonly string[],
  made: readonly Check[],
  appraised: Appraised | null,
): Appraisal {
  const missing = required.filter((name) => !made.some((check) => check.name === name));
  const checks = [...made, ...missing.map((name) => skipped(name, 'nothing to judge: an earlier check failed'))];
  const isPassed = (name: string): boolean => checks.some((c) => c.name === name && c.status === 'passed');
  const ok = verdictOf(checks).ok && required.every(isPassed) && appraised !== null;
  const policyDigest = appraisalPolicyDigest(context.policy);
  if (!ok) {
    const expiresAtMs = asTimestampMs(isSaneClock(context.nowMs) ? context.nowMs : 0);
    return { ok, checks, policyDigest, expiresAtMs };
  }
  const untilMs = Math.min(context.nowMs + context.policy.resultTermMs, appraised.facts.validUntilMs);
  return { ok, checks, claims: claimsOf(appraised, context), policyDigest, expiresAtMs: asTimestampMs(untilMs) };
}

const claimsOf = ({ bundle, decoded, facts, inspector }: Appraised, context: AppraisalContext): AppraisedClaims => ({
  profile: bundle.profile,
  measurement: facts.measurement,
  debug: facts.debug,
  hpkePublicKey: decoded.hpkePublicKey,
  signingPublicKey: decoded.signingPublicKey,
  evidenceDigest: evidenceDigest(bundle),
  standIn: inspector.standIn || context.roots.standIn,
  cpu: facts.cpu,
  gpu: facts.gpu,
  binding: {
    challenge: toHex(facts.reportData.subarray(32)),
    jobId: context.jobId,
    gpu: facts.gpu !== null,
  },
  endorsedUntilMs: facts.validUntilMs,
});

/** Every verifier of this build. A profile that is missing here is refused with PROFILE_UNSUPPORTED. */
const VERIFIERS: ReadonlyMap<EvidenceProfile, EvidenceVerifier> = new Map(
  [softwareInspector, tdxInspector, tdxNvidiaInspector, snpInspector, nitroInspector].map((inspector) => [
    inspector.profile,
    verifierOf(inspector),
  ]),
);

export const supportedProfiles = (): EvidenceProfile[] => [...VERIFIERS.keys()];

/**
 * Appraise evidence of any profile against a policy that is data. `bundle` has the shape of `zEvidenceBundle`; what
 * it says is judged here.
 *
 * A good result proves that code of an approved measurement, in a TEE whose root is pinned, made these two keys known
 * for this job in answer to our challenge. It does not prove who operates the machine, nor that nobody sits on its
 * memory bus, and with `claims.standIn` it proves nothing about hardware at all.
 */
export async function appraiseEvidence(bundle: EvidenceBundle, context: AppraisalContext): Promise<Appraisal> {
  const verifier = VERIFIERS.get(bundle.profile);
  if (verifier !== undefined) return verifier.appraise(bundle, context);
  const checks = [
    checkClock(context.nowMs),
    checkPolicy(context.policy),
    checkProfile(bundle.profile, context.policy),
    failed('PROFILE_UNSUPPORTED', `this build has no verifier for ${bundle.profile}`),
  ];
  return resultOf(context, REQUIRED, checks, null);
}

/** Names of the checks that kept a result from being good, for a refusal's details. */
export const failedChecks = ({ checks }: Pick<AttestationResult, 'checks'>): string[] =>
  checks.filter((check) => check.status === 'failed').map((check) => check.name);
