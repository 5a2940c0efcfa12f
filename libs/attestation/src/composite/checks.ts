import { checkThat, equalBytes, failed, fromBase64, fromUtf8, type Check, type Hex32 } from '@usufruct/kernel';
import { reportData, type RuntimeEvent } from '@usufruct/protocol';
import type { NvidiaPolicy } from '../policy/nvidia-policy.js';
import type { DecodedBundle } from '../types.js';
import { GPU_EVENTS, gpuAttestationPayload, gpuPolicyPayload } from './gpu-events.js';

const CC_ON = 'mode=cc-on devices=';

/** The payload of the one event of this name; null if there is none or more than one. */
function payloadOf(events: readonly RuntimeEvent[], wanted: string): Uint8Array | null {
  const [event, ...more] = events.filter(({ name }) => name === wanted);
  if (event === undefined || more.length > 0) return null;
  try {
    return fromBase64(event.payload);
  } catch {
    return null;
  }
}

/** ATTESTATION.md, NVIDIA GPU: that confidential computing is on comes from a measured statement of the guest. */
export function checkGpuMode(events: readonly RuntimeEvent[]): Check {
  const payload = payloadOf(events, GPU_EVENTS.attestation);
  if (payload === null) return failed('GPU_MODE', 'the guest measured no statement about its GPUs, or two');
  return checkThat('GPU_MODE', textOf(payload).startsWith(CC_ON), 'a GPU is in DEVTOOLS mode, or CC is off');
}

/** ATTESTATION.md, Binding: the guest looked at its GPUs under the policy that is in force. */
export function checkGpuPolicyEvent(events: readonly RuntimeEvent[], policy: NvidiaPolicy): Check {
  const payload = payloadOf(events, GPU_EVENTS.policy);
  const holds = payload !== null && equalBytes(payload, gpuPolicyPayload(policy));
  return checkThat('GPU_POLICY_EVENT', holds, 'the guest did not measure this GPU policy');
}

export interface BoundGpus {
  readonly decoded: DecodedBundle;
  readonly events: readonly RuntimeEvent[];
  readonly deviceIds: readonly string[];
  /** 64 bytes of the quote. */
  readonly reportData: Uint8Array;
  readonly jobId: Hex32;
}

/**
 * ATTESTATION.md, Binding: the GPUs shown are those that the guest measured, and report data holds the digest of exactly
 * this evidence in this order. The first alone would let the application swap the evidence, the second the devices.
 */
export function checkGpuBinding({ decoded, events, deviceIds, reportData: quoted, jobId }: BoundGpus): Check {
  const payload = payloadOf(events, GPU_EVENTS.attestation);
  const [, measured = ''] = payload === null ? [] : textOf(payload).split(' devices=');
  const shown = textOf(gpuAttestationPayload('cc-on', deviceIds)).slice(CC_ON.length);
  if (measured !== shown) return failed('GPU_BINDING', 'these are not the GPUs that the guest measured');
  const expected = reportData(quoted.subarray(32), decoded, decoded.gpuEvidence, jobId);
  return checkThat('GPU_BINDING', equalBytes(quoted, expected), 'the quote does not vouch for this GPU evidence');
}

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch {
    return '';
  }
}
