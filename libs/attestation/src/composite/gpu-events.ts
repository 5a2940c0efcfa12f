import { sha256 } from '@usufruct/crypto';
import { utf8 } from '@usufruct/kernel';
import { encodeNvidiaPolicy, type NvidiaPolicy } from '../policy/nvidia-policy.js';

/**
 * What the measured guest says about its GPUs before anything of ours runs, as events of the runtime register: report
 * data alone is under the application's control.
 */
export const GPU_EVENTS = { policy: 'gpu-policy-hash', attestation: 'gpu-attestation' } as const;

/** Confidential-computing modes of a GPU; only `cc-on` protects what is in it. */
export type GpuMode = 'cc-on' | 'cc-devtools' | 'cc-off';

/** Payload of `gpu-policy-hash`: under which policy the guest looked at its GPUs; SHA-256. */
export const gpuPolicyPayload = (policy: NvidiaPolicy): Uint8Array => sha256(encodeNvidiaPolicy(policy));

/**
 * Payload of `gpu-attestation`: the mode and which devices, as text. A device is named by the SHA-256 of the certificate
 * that its boot ROM holds (the second of its chain), in hex; in order, so that a set of devices has one text.
 */
export const gpuAttestationPayload = (mode: GpuMode, deviceIds: readonly string[]): Uint8Array =>
  utf8(`mode=${mode} devices=${deviceIds.toSorted().join(',')}`);
