import { toBase64, type Hex32 } from '@usufruct/kernel';
import { combineChallenges, gpuNonce, reportData, type BoundKeys, type EvidenceBundle } from '@usufruct/protocol';
import type { JobId } from '@usufruct/kernel';
import type { TeeDevice } from './tee-device.js';

export interface EvidenceRequest {
  /** One of 32 bytes from every party that will appraise the bundle. */
  readonly challenges: readonly Uint8Array[];
  /** The job, or the DAO when a runner registers its key. */
  readonly jobId: Hex32;
  readonly keys: BoundKeys;
}

/** Make a fresh bundle: one quote that binds the challenges, the job, the runner's two public keys and its GPUs. */
export async function makeEvidence(device: TeeDevice, request: EvidenceRequest): Promise<EvidenceBundle> {
  const { challenges, jobId, keys } = request;
  const challenge = combineChallenges(challenges);
  const nonce = gpuNonce(challenge, keys);
  const gpuEvidence = (await device.gpuEvidence?.(nonce)) ?? [];
  const gpuToken = gpuEvidence.length === 0 ? undefined : await device.gpuToken?.(nonce, gpuEvidence);
  const bound = reportData(challenge, keys, gpuEvidence, jobId);
  const quote = await device.quote(bound);
  const { eventLog, appCompose } = device;
  return {
    v: 1,
    profile: device.profile,
    challenges: challenges.map((challenge) => toBase64(challenge)),
    jobId: jobId as JobId,
    hpkePublicKey: toBase64(keys.hpkePublicKey),
    signingPublicKey: toBase64(keys.signingPublicKey),
    cpuEvidence: toBase64(quote),
    eventLog: [...eventLog],
    ...(appCompose === undefined ? {} : { appCompose }),
    ...(gpuEvidence.length === 0 ? {} : { gpuEvidence: gpuEvidence.map((bytes) => toBase64(bytes)) }),
    ...(gpuToken === undefined ? {} : { gpuToken }),
  };
}
