import { sign, verify, type SigningKey } from '@usufruct/crypto';
import { fromBase64, fromUtf8, toBase64, utf8, type Check } from '@usufruct/kernel';
import { z } from 'zod';
import type { Trial } from './trials.js';

const TAG = 'usufruct/acceptance-report/v1';

export interface Report {
  readonly v: 1;
  readonly atMs: number;
  /** What was run: commit or version, as the operator names it. */
  readonly software: string;
  readonly machine: { readonly kernel: string; readonly cpu: string };
  readonly measurement: string;
  readonly gpus: readonly { readonly model: string; readonly driverVersion: string; readonly vbiosVersion: string }[];
  readonly trials: readonly Trial[];
  readonly checks: readonly Check[];
  /** The evidence and its nonce, base64, so that anybody can appraise it again as of `atMs`. */
  readonly evidence: { readonly nonce: string; readonly bundle: unknown };
  /** True only if every trial came as it must, the main job among them. */
  readonly accepted: boolean;
}

const zSigned = z.strictObject({ report: z.string(), publicKey: z.string(), signature: z.string() });
export type SignedReport = z.output<typeof zSigned>;

/** The report's exact bytes and an Ed25519 signature over them. */
export async function signReport(report: Report, { secretKey, publicKey }: SigningKey): Promise<SignedReport> {
  const message = utf8(JSON.stringify(report));
  const signature = await sign({ secretKey, domainTag: TAG, message });
  return { report: toBase64(message), publicKey: toBase64(publicKey), signature: toBase64(signature) };
}

/**
 * The report, if this key signed it; null otherwise. It proves who says that it was so, and no more: the evidence in it
 * is what can be judged again.
 */
export async function readSignedReport(text: string): Promise<{ report: Report; publicKey: string } | null> {
  try {
    const { report, publicKey, signature } = zSigned.parse(JSON.parse(text));
    const message = fromBase64(report);
    const key = fromBase64(publicKey);
    if (!(await verify({ publicKey: key, domainTag: TAG, message, signature: fromBase64(signature) }))) return null;
    return { report: JSON.parse(fromUtf8(message)) as Report, publicKey };
  } catch {
    return null;
  }
}

const MARK = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' } as const;

/** For a person: trials, then every check, then what it comes to. */
export function tableOf({ atMs, software, machine, measurement, gpus, trials, checks, accepted }: Report): string {
  const row = (mark: string, name: string, detail: string): string =>
    `  ${mark} ${name.padEnd(24)} ${detail}`.trimEnd();
  return [
    `Acceptance on ${machine.cpu}, ${machine.kernel}, ${new Date(atMs).toISOString()}, of ${software}`,
    `Measurement ${measurement}`,
    ...gpus.map((gpu, i) => `GPU ${i}: ${gpu.model}, driver ${gpu.driverVersion}, VBIOS ${gpu.vbiosVersion}`),
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
