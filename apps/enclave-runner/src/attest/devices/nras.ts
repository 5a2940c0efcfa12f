import { readGpuEvidence, readTokenNonces } from '@usufruct/attestation';
import { parseJson, refuse, toBase64, toHex } from '@usufruct/kernel';
import { readAtMost } from '../../transport/read-at-most.js';
import type { GpuTokenSource } from './ports.js';

export interface NrasOptions {
  /** What stands before `/v4/attest/gpu`, such as https://nras.attestation.nvidia.com. */
  readonly url: string;
  /** NVIDIA's service account key, where the account has one. */
  readonly serviceKey?: string | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs?: number;
}

const UPSTREAM = "NVIDIA's attestation service";
const TIMEOUT_MS = 30_000;
/** An overall token and one of at most 64 KiB for each of 16 devices. */
const ANSWER_BYTES_AT_MOST = 1152 * 1024;
/** How the service names the architecture of a chip, by the first letters of the model that its certificate names. */
const ARCHITECTURES: Readonly<Record<string, string>> = { GH: 'HOPPER', GB: 'BLACKWELL' };

/**
 * NVIDIA's remote attestation service as the producer of a token (NRAS API /v4, claims 3.0; by its documentation, never
 * met alive): it is given the GPUs' evidence, which was made over this session's nonce, and answers with a detached EAT
 * bundle that names the nonce. Nothing but evidence leaves the guest. That the token is about this nonce is looked at
 * here, so that a cache on the way is noticed at once; whether it is NVIDIA's and good is the verifier's to judge.
 */
export function nrasTokens(options: NrasOptions): GpuTokenSource {
  return {
    token: async (nonce, evidence) => {
      const token = await ask(options, requestOf(nonce, evidence));
      const nonces = readTokenNonces(token);
      if (nonces === null) throw invalid('no detached EAT bundle');
      if (nonces.some((named) => named !== toHex(nonce))) throw invalid('a token about another nonce');
      return token;
    },
  };
}

/** NVSwitches have a service of their own; the bundle has one token, and the checks want one about each GPU. */
function requestOf(nonce: Uint8Array, evidence: readonly Uint8Array[]): string {
  const readings = evidence.map(readGpuEvidence).filter((reading) => reading !== null);
  const gpus = readings.filter(({ isSwitch }) => !isSwitch);
  const [architecture, ...others] = new Set(gpus.map(({ model }) => ARCHITECTURES[model.slice(0, 2)]));
  if (readings.length !== evidence.length || architecture === undefined || others.length > 0) {
    throw refuse('UPSTREAM_INVALID', { upstream: 'GPU evidence', expected: 'GPUs of one architecture that it knows' });
  }
  return JSON.stringify({
    nonce: toHex(nonce),
    arch: architecture,
    evidence_list: gpus.map(({ exchange, chain }) => ({ evidence: toBase64(exchange), certificate: toBase64(chain) })),
    claims_version: '3.0',
  });
}

async function ask({ url, serviceKey, fetch, timeoutMs = TIMEOUT_MS }: NrasOptions, body: string): Promise<unknown> {
  const limit = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let bytes: Uint8Array | null;
  try {
    response = await fetch(`${url}/v4/attest/gpu`, {
      method: 'POST',
      redirect: 'manual',
      credentials: 'omit',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        ...(serviceKey === undefined ? {} : { authorization: `Bearer ${serviceKey}` }),
      },
      body,
      signal: limit,
    });
    bytes = await readAtMost(response, ANSWER_BYTES_AT_MOST);
  } catch (cause) {
    throw unavailable(limit.aborted ? `no answer after ${timeoutMs} ms` : 'it cannot be reached', cause);
  }
  const { status } = response;
  if (status === 429 || status >= 500) throw unavailable(`status ${status}`);
  if (status !== 200) throw invalid(`status ${status}`);
  if (bytes === null) throw invalid(`more than ${ANSWER_BYTES_AT_MOST} bytes`);
  return parseJson(bytes);
}

/** Neither what was sent nor what came back is in a refusal. */
const unavailable = (reason: string, cause?: unknown): Error =>
  refuse('UPSTREAM_UNAVAILABLE', { upstream: UPSTREAM, reason }, cause);
const invalid = (reason: string): Error => refuse('UPSTREAM_INVALID', { upstream: UPSTREAM, reason });
