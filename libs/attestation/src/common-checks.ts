import {
  checkThat,
  equalBytes,
  failed,
  fromBase64,
  passed,
  skipped,
  UsufructError,
  type Check,
} from '@usufruct/kernel';
import {
  combineChallenges,
  LIMITS,
  reportData,
  type AppraisalPolicy,
  type EvidenceBundle,
  type EvidenceProfile,
} from '@usufruct/protocol';
import type { AppraisalContext, DecodedBundle, EvidenceFacts } from './types.js';

/** 2024-01-01 and 2100-01-01: seconds and microseconds taken for milliseconds fall outside. */
const EARLIEST_MS = 1_704_067_200_000;
const LATEST_MS = 4_102_444_800_000;
/** Why a check of the evidence itself was skipped. */
export const NOT_PARSED = 'the evidence could not be parsed';
const CHALLENGE_BYTES = 32;
const KEY_BYTES = 32;

export const isSaneClock = (nowMs: number): boolean =>
  Number.isSafeInteger(nowMs) && nowMs >= EARLIEST_MS && nowMs < LATEST_MS;
export const checkClock = (nowMs: number): Check =>
  checkThat('BAD_CLOCK', isSaneClock(nowMs), 'the clock is not integer milliseconds between 2024 and 2100');

/** An empty list affirms nothing, so it needs no check of its own here: nothing will be found in it. */
export function checkPolicy({ version, resultTermMs }: AppraisalPolicy): Check {
  const isTerm = Number.isSafeInteger(resultTermMs) && resultTermMs > 0;
  const sound = Number.isSafeInteger(version) && version > 0 && isTerm;
  return checkThat(
    'POLICY',
    sound && resultTermMs <= LIMITS.runnerRegistrationTermMs,
    `the policy needs a version and a result term of at most ${LIMITS.runnerRegistrationTermMs} ms`,
  );
}

export const checkProfile = (profile: EvidenceProfile, policy: AppraisalPolicy): Check =>
  checkThat('PROFILE', policy.profiles.includes(profile), `the policy does not allow the profile ${profile}`);

export const checkMeasurement = (facts: EvidenceFacts, policy: AppraisalPolicy): Check =>
  checkThat('MEASUREMENT', policy.measurements.includes(facts.measurement), 'the measurement is not approved');

export const checkDebug = (facts: EvidenceFacts): Check =>
  checkThat('DEBUG', !facts.debug, 'the TEE runs in debug mode: its memory can be read');

/** Null with a failed PARSE check when a byte field is malformed or of a wrong length. */
export function decodeBundle(bundle: EvidenceBundle): {
  readonly decoded: DecodedBundle | null;
  readonly check: Check;
} {
  try {
    const decoded = {
      challenges: bundle.challenges.map((text) => bytesOf(text, 'challenges', CHALLENGE_BYTES)),
      hpkePublicKey: bytesOf(bundle.hpkePublicKey, 'hpkePublicKey', KEY_BYTES),
      signingPublicKey: bytesOf(bundle.signingPublicKey, 'signingPublicKey', KEY_BYTES),
      cpuEvidence: fromBase64(bundle.cpuEvidence, 'cpuEvidence'),
      gpuEvidence: (bundle.gpuEvidence ?? []).map((text) => fromBase64(text, 'gpuEvidence')),
    };
    return { decoded, check: passed('PARSE_BUNDLE') };
  } catch (error) {
    const field = error instanceof UsufructError ? error.details['field'] : undefined;
    return { decoded: null, check: failed('PARSE_BUNDLE', `${field ?? 'a field'} is malformed`) };
  }
}

function bytesOf(text: string, field: string, length: number): Uint8Array {
  const bytes = fromBase64(text, field);
  if (bytes.length !== length) throw new UsufructError('INVALID_ARGUMENT', { field });
  return bytes;
}

/**
 * Freshness: our own challenge is in the list exactly once, no challenge is there twice, and the second half of the
 * report data is their combination.
 */
export function checkNonce(decoded: DecodedBundle, facts: EvidenceFacts | null, own: Uint8Array): Check {
  const { challenges } = decoded;
  if (own.length !== CHALLENGE_BYTES) return failed('NONCE', 'the own challenge must have 32 bytes');
  if (!challenges.some((challenge) => equalBytes(challenge, own))) {
    return failed('NONCE', 'the own challenge is not in the list');
  }
  if (hasDuplicates(challenges)) return failed('NONCE', 'a challenge is in the list more than once');
  if (facts === null) return skipped('NONCE', NOT_PARSED);
  return checkThat(
    'NONCE',
    equalBytes(facts.reportData.subarray(32), combineChallenges(challenges)),
    'the evidence was made for other challenges',
  );
}

const hasDuplicates = (challenges: readonly Uint8Array[]): boolean =>
  challenges.some((one, i) => challenges.slice(i + 1).some((other) => equalBytes(one, other)));

/**
 * The first half of the report data binds both keys, the GPU evidence and the job to the challenge that the second
 * half holds; whether that challenge is the right one is the business of NONCE.
 */
export function checkBinding(
  bundle: EvidenceBundle,
  decoded: DecodedBundle,
  facts: EvidenceFacts | null,
  { jobId }: AppraisalContext,
): Check {
  if (bundle.jobId !== jobId) return failed('BINDING', 'the evidence is for another job');
  if (facts === null) return skipped('BINDING', NOT_PARSED);
  const expected = reportData(facts.reportData.subarray(32), decoded, decoded.gpuEvidence, jobId);
  return checkThat(
    'BINDING',
    equalBytes(facts.reportData, expected),
    'the report data does not bind these keys, this GPU evidence and this job',
  );
}
