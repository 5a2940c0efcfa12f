import type { EvidenceProfile, RuntimeEvent } from '@usufruct/protocol';

/** The attester's side: whatever makes quotes on this machine. */
export interface TeeDevice {
  readonly profile: EvidenceProfile;
  /** True for the software TEE: whoever shows its evidence must show this too. */
  readonly standIn: boolean;
  /** What the evidence will give as the measurement of the running code, lower-case hex. */
  measurement(): Promise<string>;
  /** CPU evidence over 64 bytes of report data. */
  quote(reportData: Uint8Array): Promise<Uint8Array>;
  /** Evidence of each GPU over a nonce of 32 bytes, exact bytes; missing where the profile has no GPUs. */
  gpuEvidence?(nonce: Uint8Array): Promise<readonly Uint8Array[]>;
  /**
   * What NVIDIA's attestation service says of this GPU evidence, made over this nonce; undefined where it says nothing and
   * the policy does without; missing where nobody asks it.
   */
  gpuToken?(nonce: Uint8Array, evidence: readonly Uint8Array[]): Promise<unknown>;
  /**
   * The events that the runtime measurement register was extended with, in order, as of the latest quote: others in the
   * same guest may extend it, too, so it is read after `quote` and before anything else is waited for.
   */
  readonly eventLog: readonly RuntimeEvent[];
  /** What the TD's MRCONFIGID is the digest of; missing where it is not one. */
  readonly appCompose?: string;
}
