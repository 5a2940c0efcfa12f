import {
  AppraisalDesk,
  failedChecks,
  type Appraisal,
  type DeskAnswer,
  type DeskOptions,
  type Endorsements,
  type TeePolicy,
} from '@usufruct/attestation';
import {
  fromBase64,
  toBase64,
  type Check,
  type Clock,
  type DaoId,
  type JobId,
  type RandomSource,
} from '@usufruct/kernel';
import { clientChallenge, type EvidenceBundle } from '@usufruct/protocol';

/** One thing that was tried, and whether it came as it must. */
export interface Trial {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** What is tried of the evidence, in this order. */
export const EVIDENCE_TRIALS = [
  'EVIDENCE_HOLDS',
  'NO_STAND_IN',
  'CPU_AND_GPU',
  'FRESH',
  'SAME_KEYS',
  'REPLAY_REFUSED',
  'QUOTE_FLIP_REFUSED',
  'EVENT_REFUSED',
  'GPU_FLIP_REFUSED',
] as const;
type EvidenceTrial = (typeof EVIDENCE_TRIALS)[number];

export interface Attester {
  /** Fresh evidence over this nonce. */
  evidence(nonce: Uint8Array): Promise<EvidenceBundle>;
}

export interface TrialOptions {
  readonly attester: Attester;
  readonly desk: Pick<DeskOptions, 'roots' | 'endorsements'>;
  readonly teePolicy: TeePolicy;
  /** As the DAO approved it, hex. */
  readonly measurement: string;
  readonly jobId: JobId;
  readonly clock: Clock;
  readonly random: RandomSource;
}

export interface Tried {
  readonly bundle: EvidenceBundle;
  readonly nonce: Uint8Array;
  readonly checks: readonly Check[];
  readonly claims: Appraisal['claims'] | undefined;
  /** When it was judged, with everything at hand that it was judged by. */
  readonly atMs: number;
  /** What the vendors had signed about this machine, as the checks used it. */
  readonly endorsements: Endorsements;
  readonly trials: readonly Trial[];
}

const RESULT_TERM_MS = 10 * 60_000;
const NO_DAO = `0x${'00'.repeat(32)}` as DaoId;

/**
 * Every check of fresh evidence, and then the same verifier on what it must refuse: the same evidence for another
 * challenge, and evidence of which one byte is not as it was. A verifier that accepts everything would pass the first.
 */
export async function tryEvidence(options: TrialOptions): Promise<Tried> {
  const { attester, random } = options;
  const [nonce, other] = [random(32), random(32)];
  const bundle = await attester.evidence(nonce);
  const { result, endorsements } = await appraise(options, bundle, nonce);
  const atMs = options.clock.nowMs();
  const again = await attester.evidence(other);
  const trials: Trial[] = [
    trial('EVIDENCE_HOLDS', result.ok, failedChecks(result).join(', ')),
    trial('NO_STAND_IN', result.claims?.standIn === false, 'a root or the TEE is a stand-in'),
    trial('CPU_AND_GPU', (result.claims?.gpu?.devices.length ?? 0) > 0, 'no GPU was proven'),
    trial('FRESH', (await appraise(options, again, other)).result.ok, 'evidence for a second challenge was refused'),
    trial(
      'SAME_KEYS',
      again.signingPublicKey === bundle.signingPublicKey && again.hpkePublicKey === bundle.hpkePublicKey,
      'the runner has other keys in each bundle',
    ),
    await refused('REPLAY_REFUSED', 'NONCE', options, bundle, other),
    await refused(
      'QUOTE_FLIP_REFUSED',
      'SIGNATURE',
      options,
      { ...bundle, cpuEvidence: flipped(bundle.cpuEvidence, 250) },
      nonce,
    ),
    await refused('EVENT_REFUSED', 'RTMR', options, { ...bundle, eventLog: bundle.eventLog.slice(0, -1) }, nonce),
    await refused('GPU_FLIP_REFUSED', 'GPU_SIGNATURE', options, withFlippedGpu(bundle), nonce),
  ];
  return { bundle, nonce, checks: result.checks, claims: result.claims, atMs, endorsements, trials };
}

export type Judging = Pick<TrialOptions, 'desk' | 'teePolicy' | 'measurement' | 'jobId' | 'clock'>;

/** One appraisal of this evidence, as a DAO that approved this measurement would have it. */
export async function appraise(
  { desk, teePolicy, measurement, jobId, clock }: Judging,
  bundle: EvidenceBundle,
  nonce: Uint8Array,
): Promise<DeskAnswer> {
  const appraisal = {
    version: 1,
    profiles: ['tdx+nv' as const],
    measurements: [measurement],
    resultTermMs: RESULT_TERM_MS,
  };
  const policies = { v: 1 as const, policies: [{ daoId: NO_DAO, teePolicy }] };
  return new AppraisalDesk({ ...desk, policies }).appraise({
    bundle,
    ownChallenge: clientChallenge(nonce),
    jobId,
    dao: { id: NO_DAO, policy: { appraisal } },
    nowMs: clock.nowMs(),
  });
}

async function refused(
  name: EvidenceTrial,
  check: string,
  options: TrialOptions,
  bundle: EvidenceBundle,
  nonce: Uint8Array,
): Promise<Trial> {
  const failed = failedChecks((await appraise(options, bundle, nonce)).result);
  return trial(name, failed.includes(check), `${check} did not fail, but ${failed.join(', ') || 'nothing'}`);
}

const trial = (name: EvidenceTrial, ok: boolean, whenNot: string): Trial => ({ name, ok, detail: ok ? '' : whenNot });

function flipped(base64: string, at: number): string {
  const bytes = fromBase64(base64);
  if (at < bytes.length) bytes[at] = bytes[at]! ^ 1;
  return toBase64(bytes);
}

/** Byte 60 of a report is within the value of its first measurement, so that it can still be read. */
function withFlippedGpu(bundle: EvidenceBundle): EvidenceBundle {
  const [first, ...rest] = bundle.gpuEvidence ?? [];
  return first === undefined ? bundle : { ...bundle, gpuEvidence: [flipped(first, 60), ...rest] };
}
