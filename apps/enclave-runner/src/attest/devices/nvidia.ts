import { readGpuEvidence, type GpuMode } from '@usufruct/attestation';
import { concatBytes, fromBase64, fromUtf8, refuse, toHex } from '@usufruct/kernel';
import { z } from 'zod';
import type { GpuTool } from './ports.js';
import { runTool } from './run-tool.js';

export interface NvidiaTools {
  /** Absolute path of `nvattest`, the command line of NVIDIA's Attestation SDK (1.0 or newer). */
  readonly nvattest: string;
  /** Absolute path of `nvidia-smi`, which comes with the driver. */
  readonly nvidiaSmi: string;
  /** True where the policy asks for NVSwitches: their evidence follows that of the GPUs. */
  readonly hasSwitches?: boolean;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;
/** 16 GPUs of at most 64 KiB in base64. */
const EVIDENCE_OUTPUT_BYTES = 2 * 1024 * 1024;
const STATUS_OUTPUT_BYTES = 16 * 1024;
const GPUS_AT_MOST = 16;

/** What `nvattest --format json collect-evidence` prints (NVIDIA Attestation SDK, command reference). */
const zCollected = z.object({
  result_code: z.literal(0),
  evidences: z
    .array(
      z.object({
        /** SPDM exchange and signature. */
        evidence: z.string(),
        /** PEM of the device's chain. */
        certificate: z.string(),
      }),
    )
    .min(1)
    .max(GPUS_AT_MOST),
});

/**
 * NVIDIA's own tools as child processes. Their bytes are passed on exactly as they are; only that each report answers
 * this nonce is looked at, since a tool that has a cache would otherwise be noticed by the verifier alone.
 */
export function nvidiaTools({
  nvattest,
  nvidiaSmi,
  hasSwitches = false,
  timeoutMs = TIMEOUT_MS,
}: NvidiaTools): GpuTool {
  const invalid = (tool: string, reason: string): Error => refuse('UPSTREAM_INVALID', { upstream: tool, reason });
  const status = async (option: string): Promise<string> => {
    const args = ['conf-compute', option];
    return fromUtf8(await runTool({ file: nvidiaSmi, args, timeoutMs, outputBytesAtMost: STATUS_OUTPUT_BYTES }));
  };
  const collect = async (device: 'gpu' | 'nvswitch', nonce: Uint8Array): Promise<Uint8Array[]> => {
    const args = ['--format', 'json', 'collect-evidence', '--device', device, '--nonce', toHex(nonce)];
    const printed = await runTool({ file: nvattest, args, timeoutMs, outputBytesAtMost: EVIDENCE_OUTPUT_BYTES });
    const collected = zCollected.safeParse(jsonOrNull(printed)).data;
    if (collected === undefined) throw invalid(nvattest, `not the evidence of at least one ${device}`);
    return collected.evidences.map(({ evidence, certificate }, i) => {
      const bytes = concatBytes(fromBase64(evidence, 'evidence'), fromBase64(certificate, 'certificate'));
      const reading = readGpuEvidence(bytes);
      if (reading === null) throw invalid(nvattest, `${device} ${i}: not one report and its chain`);
      if (reading.nonce !== toHex(nonce)) throw invalid(nvattest, `${device} ${i}: a report over another nonce`);
      return bytes;
    });
  };
  return {
    evidence: async (nonce) => {
      const gpus = await collect('gpu', nonce);
      return hasSwitches ? [...gpus, ...(await collect('nvswitch', nonce))] : gpus;
    },
    mode: async () => modeOf(await status('-f'), await status('-d'), (reason) => invalid(nvidiaSmi, reason)),
  };
}

/**
 * `nvidia-smi conf-compute -f` prints `CC status: ON`, `-d` prints `DevTools Mode: OFF`. Whatever is neither ON nor OFF
 * is no answer: nothing is taken to be on because its name is new.
 */
function modeOf(feature: string, devtools: string, invalid: (reason: string) => Error): GpuMode {
  const [, cc] = /^\s*CC status:\s*(ON|OFF)\s*$/m.exec(feature) ?? [];
  const [, tools] = /^\s*DevTools Mode:\s*(ON|OFF)\s*$/m.exec(devtools) ?? [];
  if (cc === undefined || tools === undefined) throw invalid('it does not say whether CC and DevTools are on');
  if (tools === 'ON') return 'cc-devtools';
  return cc === 'ON' ? 'cc-on' : 'cc-off';
}

function jsonOrNull(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    return null;
  }
}
