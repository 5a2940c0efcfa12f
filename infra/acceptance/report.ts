import { endorsementDigests, zTeePolicy, type Endorsements } from '@usufruct/attestation';
import { sha256, sign, verify, type SigningKey } from '@usufruct/crypto';
import { fromBase64, fromUtf8, toBase64, toHex, utf8 } from '@usufruct/kernel';
import { zBase64, zEvidenceBundle } from '@usufruct/protocol';
import { z } from 'zod';
import { MAIN_JOB } from './main-job.js';
import { EVIDENCE_TRIALS, type Trial } from './trials.js';

const TAG = 'usufruct/acceptance-report/v1';
const zText = z.string().max(4096);
const zNamed = z.string().max(256);

const zReport = z.strictObject({
  v: z.literal(2),
  atMs: z.int().positive(),
  /** What was run: commit or version, as the operator names it. */
  software: zText,
  machine: z.strictObject({ kernel: zText, cpu: zText }),
  /** As the DAO approved it; hex. */
  measurement: z.string().regex(/^[0-9a-f]{96}$/),
  /** What was asked of the hardware; the measurement pins it. */
  teePolicy: zTeePolicy,
  /** What the vendors had signed, by the names that a folder of endorsements has; base64. */
  endorsements: z.record(zNamed, zBase64(2 * 1024 * 1024)),
  gpus: z.array(z.strictObject({ model: zText, driverVersion: zText, vbiosVersion: zText })).max(16),
  trials: z
    .array(z.strictObject({ name: zNamed, ok: z.boolean(), detail: zText }))
    .min(1)
    .max(64),
  checks: z
    .array(z.strictObject({ name: zNamed, status: z.enum(['passed', 'failed', 'skipped']), detail: zText }))
    .max(512),
  /** The evidence and its nonce, so that anybody can appraise it again as of `atMs`. */
  evidence: z.strictObject({ nonce: zBase64(32), bundle: zEvidenceBundle }),
  /** True only if every trial came as it must, the main job among them. */
  accepted: z.boolean(),
});
export type Report = z.output<typeof zReport>;

const zSigned = z.strictObject({ report: z.string(), publicKey: z.string(), signature: z.string() });
export type SignedReport = z.output<typeof zSigned>;

export const encodeEndorsements = (endorsements: Endorsements): Report['endorsements'] =>
  Object.fromEntries(Object.entries(endorsements).map(([name, bytes]) => [name, toBase64(bytes)]));
export const decodeEndorsements = (endorsements: Report['endorsements']): Endorsements =>
  Object.fromEntries(Object.entries(endorsements).map(([name, text]) => [name, fromBase64(text)]));

const TRIALS: readonly string[] = [...EVIDENCE_TRIALS, MAIN_JOB];

/** Every trial was made, each once, and came as it must: one that was left out proves nothing. */
export const isAccepted = (trials: readonly Trial[]): boolean =>
  trials.length === TRIALS.length && TRIALS.every((wanted) => trials.some(({ name, ok }) => name === wanted && ok));

/** The report's exact bytes and an Ed25519 signature over them. */
export async function signReport(report: Report, { secretKey, publicKey }: SigningKey): Promise<SignedReport> {
  const message = utf8(JSON.stringify(report));
  const signature = await sign({ secretKey, domainTag: TAG, message });
  return { report: toBase64(message), publicKey: toBase64(publicKey), signature: toBase64(signature) };
}

/**
 * The report, if this very key signed it and it is whole; null otherwise, and for a report that says `accepted` of trials
 * that were not, or not all made. The key is the reader's to name: one that the file brings along would only say that somebody has a key.
 */
export async function readSignedReport(text: string, trusted: Uint8Array): Promise<Report | null> {
  try {
    const { report: encoded, publicKey, signature } = zSigned.parse(JSON.parse(text));
    if (publicKey !== toBase64(trusted)) return null;
    const message = fromBase64(encoded);
    const isSigned = await verify({ publicKey: trusted, domainTag: TAG, message, signature: fromBase64(signature) });
    if (!isSigned) return null;
    const report = zReport.parse(JSON.parse(fromUtf8(message)));
    return report.accepted === isAccepted(report.trials) ? report : null;
  } catch {
    return null;
  }
}

const MARK = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' } as const;

/** For a person: by what it was judged, trials, then every check, then what it comes to. */
export function tableOf(report: Report): string {
  const { atMs, software, machine, measurement, gpus, trials, checks, accepted } = report;
  const row = (mark: string, name: string, detail: string): string =>
    `  ${mark} ${name.padEnd(24)} ${detail}`.trimEnd();
  return [
    `Acceptance on ${machine.cpu}, ${machine.kernel}, ${new Date(atMs).toISOString()}, of ${software}`,
    `Measurement ${measurement}`,
    ...gpus.map((gpu, i) => `GPU ${i}: ${gpu.model}, driver ${gpu.driverVersion}, VBIOS ${gpu.vbiosVersion}`),
    '',
    'What it was judged by (SHA-256)',
    ...judgedBy(report).map(([name, digest]) => `  ${digest} ${name}`),
    '',
    'What was tried',
    ...trials.map(({ name, ok, detail }) => row(ok ? 'ok  ' : 'FAIL', name, detail)),
    '',
    'Every check of the evidence',
    ...checks.map(({ name, status, detail }) => row(MARK[status], name, detail)),
    '',
    accepted ? 'ACCEPTED' : 'NOT ACCEPTED',
    '',
  ].join('\n');
}

/** Of the policy as JSON without white space, and of each endorsement's bytes, as `sha256sum` in their folder gives it. */
function judgedBy({ teePolicy, endorsements }: Report): [name: string, digest: string][] {
  return [
    ['policy for the hardware', toHex(sha256(utf8(JSON.stringify(teePolicy))))],
    ...Object.entries(endorsementDigests(decodeEndorsements(endorsements))),
  ];
}
