import { readGpuEvidence, type GpuMode } from '@usufruct/attestation';
import { concatBytes, fromBase64, fromUtf8, parseJson, refuse, toHex } from '@usufruct/kernel';
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
  const status = async (option: string): Promise<string> => {
    const args = ['conf-compute', option];
    return fromUtf8(await runTool({ file: nvidiaSmi, args, timeoutMs, outputBytesAtMost: STATUS_OUTPUT_BYTES }));
  };
  const collect = async (device: 'gpu' | 'nvswitch', nonce: Uint8Array): Promise<Uint8Array[]> => {
    const args = ['--format', 'json', 'collect-evidence', '--device', device, '--nonce', toHex(nonce)];
    const printed = await runTool({ file: nvattest, args, timeoutMs, outputBytesAtMost: EVIDENCE_OUTPUT_BYTES });
    return readCollected(printed, { tool: nvattest, device, nonce });
  };
  return {
    evidence: async (nonce) => {
      const gpus = await collect('gpu', nonce);
      return hasSwitches ? [...gpus, ...(await collect('nvswitch', nonce))] : gpus;
    },
    mode: async () => readMode(nvidiaSmi, await status('-f'), await status('-d')),
  };
}

export interface CollectedFrom {
  /** The tool's path, for refusals. */
  readonly tool: string;
  readonly device: 'gpu' | 'nvswitch';
  /** 32 bytes: what each report must answer. */
  readonly nonce: Uint8Array;
}

/**
 * The evidence that `nvattest` printed, a report and its chain for each device, byte for byte. Refuses `UPSTREAM_INVALID`
 * for anything else, and for a report over another nonce. Who signed it is judged by the verifier alone.
 */
export function readCollected(printed: Uint8Array, { tool, device, nonce }: CollectedFrom): Uint8Array[] {
  const collected = zCollected.safeParse(parseJson(printed)).data;
  if (collected === undefined) throw invalid(tool, `not the evidence of at least one ${device}`);
  return collected.evidences.map(({ evidence, certificate }, i) => {
    const bytes = concatBytes(fromBase64(evidence, 'evidence'), fromBase64(certificate, 'certificate'));
    const reading = readGpuEvidence(bytes);
    if (reading === null) throw invalid(tool, `${device} ${i}: not one report and its chain`);
    if (reading.nonce !== toHex(nonce)) throw invalid(tool, `${device} ${i}: a report over another nonce`);
    return bytes;
  });
}

/**
 * `nvidia-smi conf-compute -f` prints `CC status: ON`, `-d` prints `DevTools Mode: OFF`. Whatever is neither ON nor OFF
 * is no answer: nothing is taken to be on because its name is new. Refuses `UPSTREAM_INVALID`.
 */
export function readMode(tool: string, feature: string, devtools: string): GpuMode {
  // White space within the line alone: over lines the search would take time as the square of the text.
  const [, cc] = /^[ \t]*CC status:[ \t]*(ON|OFF)[ \t\r]*$/m.exec(feature) ?? [];
  const [, tools] = /^[ \t]*DevTools Mode:[ \t]*(ON|OFF)[ \t\r]*$/m.exec(devtools) ?? [];
  if (cc === undefined || tools === undefined) throw invalid(tool, 'it does not say whether CC and DevTools are on');
  if (tools === 'ON') return 'cc-devtools';
  return cc === 'ON' ? 'cc-on' : 'cc-off';
}

const invalid = (tool: string, reason: string): Error => refuse('UPSTREAM_INVALID', { upstream: tool, reason });
