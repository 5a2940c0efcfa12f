import {
  encodeNvidiaPolicy,
  eventDigest,
  GPU_EVENTS,
  gpuAttestationPayload,
  gpuPolicyPayload,
  replayEventLog,
  tdxMeasurement,
  type GpuMode,
  type NvidiaPolicy,
  type TdxIdentity,
  type TdxPolicy,
  type TeeDevice,
} from '@usufruct/attestation';
import { assertInvariant, toBase64, toHex } from '@usufruct/kernel';
import type { RuntimeEvent } from '@usufruct/protocol';
import type { SoftwareGpu } from '../nvidia/gpu.js';
import type { TdxPki } from './pki.js';
import { DEV_REPORT, signTdxQuote, type QuoteRequest, type ReportFields } from './quote.js';

/** A GPU as the machine shows it: which device it measured at boot, and what answers a nonce now. */
export type GpuSource = Pick<SoftwareGpu, 'deviceId' | 'evidence'>;

export interface SoftwareTdOptions {
  readonly pki: TdxPki;
  /** The policy that the measurement names. */
  readonly policy: TdxPolicy;
  readonly events?: readonly { readonly name: string; readonly payload: Uint8Array }[];
  /** GPUs of the machine, and the policy under which the guest looked at them at boot. */
  readonly gpus?: { readonly policy: NvidiaPolicy; readonly devices: readonly GpuSource[]; readonly mode?: GpuMode };
  readonly version?: 4 | 5;
  readonly report?: Partial<ReportFields>;
  /** Anything else of the quote that is not as it should be. */
  readonly quote?: Partial<QuoteRequest>;
}

/**
 * DEV ONLY. A TD without hardware: its quotes have Intel's format, but every key under them is generated, and only a
 * verifier that was given the generated root believes them.
 */
export class SoftwareTd implements TeeDevice {
  readonly profile: 'tdx' | 'tdx+nv';
  readonly standIn = true;

  private constructor(
    private readonly options: SoftwareTdOptions,
    readonly eventLog: readonly RuntimeEvent[],
    private readonly rtmr3: Uint8Array,
  ) {
    this.profile = options.gpus === undefined ? 'tdx' : 'tdx+nv';
  }

  static async create(options: SoftwareTdOptions): Promise<SoftwareTd> {
    const eventLog = await Promise.all(
      [...(options.events ?? []), ...gpuEvents(options)].map(async ({ name, payload }) => ({
        name,
        payload: toBase64(payload),
        digest: toHex(await eventDigest(name, payload)),
      })),
    );
    const rtmr3 = await replayEventLog(eventLog);
    assertInvariant(rtmr3 !== null, 'own events replay');
    return new SoftwareTd(options, eventLog, rtmr3);
  }

  measurement(): Promise<string> {
    const { report, policy, gpus } = this.options;
    const companions = gpus === undefined ? [] : [encodeNvidiaPolicy(gpus.policy)];
    return tdxMeasurement(identityOf({ ...DEV_REPORT, ...report }), policy, companions);
  }

  gpuEvidence(nonce: Uint8Array): Promise<readonly Uint8Array[]> {
    return Promise.all((this.options.gpus?.devices ?? []).map((device) => device.evidence(nonce)));
  }

  quote(reportData: Uint8Array): Promise<Uint8Array> {
    const { pki, version = 4, report, quote } = this.options;
    return signTdxQuote({ pki, version, ...quote, report: { rtmr3: this.rtmr3, ...report, reportData } });
  }
}

/** What a measured guest writes into its register at boot. */
function gpuEvents({ gpus }: SoftwareTdOptions): { readonly name: string; readonly payload: Uint8Array }[] {
  if (gpus === undefined) return [];
  const { policy, devices, mode = 'cc-on' } = gpus;
  const deviceIds = devices.map(({ deviceId }) => deviceId);
  return [
    { name: GPU_EVENTS.policy, payload: gpuPolicyPayload(policy) },
    { name: GPU_EVENTS.attestation, payload: gpuAttestationPayload(mode, deviceIds) },
  ];
}

const identityOf = (report: ReportFields): TdxIdentity => ({
  mrSeam: toHex(report.mrSeam),
  mrTd: toHex(report.mrTd),
  rtmr0: toHex(report.rtmr0),
  rtmr1: toHex(report.rtmr1),
  rtmr2: toHex(report.rtmr2),
  mrConfigId: toHex(report.mrConfigId),
  mrOwner: toHex(report.mrOwner),
  mrOwnerConfig: toHex(report.mrOwnerConfig),
  mrServiceTd: '00'.repeat(48),
});
