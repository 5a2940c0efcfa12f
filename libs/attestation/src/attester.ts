import { toHex } from '@usufruct/kernel';
import type { EvidenceProfile } from '@usufruct/protocol';
import { identityOf as nitroIdentityOf } from './nitro/checks.js';
import { parseNitroDocument } from './nitro/document.js';
import { deviceIdOf, isSwitch, modelOf } from './nvidia/device.js';
import { parseExchange } from './nvidia/exchange.js';
import { parseNrasToken } from './nvidia/token.js';
import { nitroMeasurement } from './policy/nitro-policy.js';
import { encodeNvidiaPolicy } from './policy/nvidia-policy.js';
import { snpMeasurement } from './policy/snp-policy.js';
import { tdxMeasurement, type TdxIdentity } from './policy/tdx-policy.js';
import { identityOf as snpIdentityOf } from './snp/checks.js';
import { parseReport, SNP_REPORT_BYTES } from './snp/report.js';
import { parseQuote } from './tdx/quote.js';
import { identityOf } from './tdx/td-checks.js';
import type { TeePolicy } from './types.js';
import { readPemChain } from './x509/chain.js';

/*
 * What an attester, or an operator who writes a policy, reads out of evidence. Nothing here is verified: a quote that
 * nobody signed has a measurement, too.
 */

/** What a quote says about its TD; null for anything that is not exactly one TDX quote. */
export function tdxIdentityOf(quote: Uint8Array): TdxIdentity | null {
  const parsed = parseQuote(quote);
  return parsed === null ? null : identityOf(parsed.report);
}

/** RTMR3 of a quote, 48 bytes: what its event log must replay to; null for anything that is not exactly one TDX quote. */
export const runtimeRegisterOf = (quote: Uint8Array): Uint8Array | null => parseQuote(quote)?.report.rtmr[3] ?? null;

/**
 * The measurement that CPU evidence has under a policy, as a DAO would approve it, lower-case hex. Null where the
 * evidence cannot be read, the policy says nothing about this kind, or the kind has no such measurement.
 */
export async function evidenceMeasurement(
  profile: EvidenceProfile,
  cpuEvidence: Uint8Array,
  { tdx, snp, nitro, nvidia }: TeePolicy,
): Promise<string | null> {
  if (profile === 'snp') {
    const report = parseReport(cpuEvidence.subarray(0, SNP_REPORT_BYTES));
    return report === null || snp === undefined ? null : snpMeasurement(snpIdentityOf(report), snp);
  }
  if (profile === 'nitro') {
    const document = parseNitroDocument(cpuEvidence);
    return document === null || nitro === undefined ? null : nitroMeasurement(nitroIdentityOf(document), nitro);
  }
  if (profile !== 'tdx' && profile !== 'tdx+nv') return null;
  const identity = tdxIdentityOf(cpuEvidence);
  if (identity === null || tdx === undefined) return null;
  if (profile === 'tdx') return tdxMeasurement(identity, tdx);
  return nvidia === undefined ? null : tdxMeasurement(identity, tdx, [encodeNvidiaPolicy(nvidia)]);
}

/** What one GPU or NVSwitch says about itself. */
export interface GpuReading {
  /** SHA-256 of its boot ROM's certificate, hex: who it is, as `gpu-attestation` names it. */
  readonly deviceId: string;
  readonly model: string;
  /** Hex of 32 bytes. */
  readonly nonce: string;
  readonly isSwitch: boolean;
  /** The signed exchange, and behind it the chain in PEM: together they are the evidence. */
  readonly exchange: Uint8Array;
  readonly chain: Uint8Array;
}

/** Null for anything that is not one exchange and its chain. */
export function readGpuEvidence(evidence: Uint8Array): GpuReading | null {
  const exchange = parseExchange(evidence);
  const chain = readPemChain(exchange?.chain);
  if (exchange === null || chain === null || chain.length < 2) return null;
  return {
    deviceId: deviceIdOf(chain),
    model: modelOf(chain),
    nonce: toHex(exchange.nonce),
    isSwitch: isSwitch(chain),
    exchange: evidence.subarray(0, evidence.length - exchange.chain.length),
    chain: exchange.chain,
  };
}

/** Nonces that a token of NVIDIA's attestation service names, hex; null for anything that is no such token. */
export function readTokenNonces(token: unknown): readonly string[] | null {
  const parsed = parseNrasToken(token);
  return parsed && [parsed.overall, ...parsed.submodules.values()].map(({ said }) => said.eat_nonce.toLowerCase());
}
