import type { GpuMode } from '@usufruct/attestation';
import type { RuntimeEvent } from '@usufruct/protocol';

/** A quote, and the log that its runtime register replays from, of one moment. */
export interface Quoted {
  readonly evidence: Uint8Array;
  readonly eventLog: readonly RuntimeEvent[];
}

/** What the guest's interface to its processor offers. */
export interface CpuDevice {
  readonly profile: 'tdx' | 'snp' | 'nitro';
  /** Evidence over 64 bytes. Refuses `UPSTREAM_UNAVAILABLE` and `UPSTREAM_INVALID`. */
  quote(reportData: Uint8Array): Promise<Quoted>;
  /** Extends the runtime measurement register; missing where the guest has none that it may write. */
  extend?(name: string, payload: Uint8Array): Promise<void>;
  /** What MRCONFIGID is the digest of, where it is one. */
  readonly appCompose?: string;
}

/** The vendor's tool for the GPUs and NVSwitches of this machine. Both refuse `UPSTREAM_UNAVAILABLE` and `UPSTREAM_INVALID`. */
export interface GpuTool {
  /** One a device, exactly as the device gave it: the signed exchange, then the chain in PEM. */
  evidence(nonce: Uint8Array): Promise<readonly Uint8Array[]>;
  mode(): Promise<GpuMode>;
}

/** NVIDIA's verdict about GPU evidence. */
export interface GpuTokenSource {
  /** A token about this evidence, made over this nonce. Refuses `UPSTREAM_UNAVAILABLE` and `UPSTREAM_INVALID`. */
  token(nonce: Uint8Array, evidence: readonly Uint8Array[]): Promise<unknown>;
}
