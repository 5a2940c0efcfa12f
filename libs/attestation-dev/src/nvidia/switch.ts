import { concatBytes, fromHex, toHex, utf8 } from '@usufruct/kernel';
import { createGpuIdentity, type GpuIdentity, type NvidiaPki } from './pki.js';
import { opaqueField, pdiOf, signExchange } from './spdm.js';

/** What one NVSwitch says about itself. */
export interface SwitchFields {
  readonly biosVersion: string;
  /** By index from 1, 48 bytes each; what is missing is zero. */
  readonly measurements: ReadonlyMap<number, Uint8Array>;
  /** Its own name, hex; missing: the certified one. */
  readonly pdi?: string;
  /** Names of the GPUs that it is linked to, hex; at most eight. */
  readonly links: readonly string[];
  /** 48 bytes; null, as of LS10: it does not say. */
  readonly firmwareId: Uint8Array | null;
}

const BLOCKS = 31;
const NAMES = 8;
const filled = (value: number): Uint8Array => new Uint8Array(48).fill(value);

/** An NVSwitch as its manifest describes it. */
export const DEV_SWITCH: SwitchFields = {
  biosVersion: '96.10.6D.00.01',
  measurements: new Map(Array.from({ length: 6 }, (_, i) => [i + 1, filled(0x50 + i)])),
  links: [],
  firmwareId: null,
};

export interface SwitchEvidenceRequest {
  readonly pki: NvidiaPki;
  readonly identity: GpuIdentity;
  readonly nonce: Uint8Array;
  readonly fields?: Partial<SwitchFields>;
}

/** DEV ONLY: what an LS10 answers with, signed by a generated key. */
export function signSwitchEvidence({ pki, identity, nonce, fields }: SwitchEvidenceRequest): Promise<Uint8Array> {
  const all = { ...DEV_SWITCH, ...fields };
  const names = concatBytes(...all.links.map((pdi) => fromHex(pdi)), new Uint8Array(8 * (NAMES - all.links.length)));
  // Behind the names, for each of 64 links, which of them it leads to.
  const topology = concatBytes(names, new Uint8Array(64).fill(0xff));
  const opaque = concatBytes(
    opaqueField(6, utf8(all.biosVersion)),
    opaqueField(22, fromHex(all.pdi ?? pdiOf(identity))),
    opaqueField(26, topology),
    ...(all.firmwareId === null ? [] : [opaqueField(20, all.firmwareId)]),
  );
  return signExchange({ pki, identity, nonce, measurements: all.measurements, opaque, blocks: BLOCKS });
}

/** DEV ONLY. An NVSwitch without hardware: only its generated root stands for it. */
export class SoftwareSwitch {
  /** Names of the GPUs that it is linked to. */
  links: readonly string[] = [];

  private constructor(
    private readonly pki: NvidiaPki,
    readonly identity: GpuIdentity,
    /** SHA-256 of the boot ROM's certificate, hex. */
    readonly deviceId: string,
  ) {}

  static async create(pki: NvidiaPki, nowMs: number): Promise<SoftwareSwitch> {
    const identity = await createGpuIdentity({ pki, nowMs, firmwareId: filled(0xf5), chip: 'LS_10 A01 FSP' });
    const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(identity.bootRom.der));
    return new SoftwareSwitch(pki, identity, toHex(new Uint8Array(digest)));
  }

  /** The name by which GPUs know it. */
  get pdi(): string {
    return pdiOf(this.identity);
  }

  evidence(nonce: Uint8Array, fields: Partial<SwitchFields> = {}): Promise<Uint8Array> {
    const request = { pki: this.pki, identity: this.identity, nonce };
    return signSwitchEvidence({ ...request, fields: { links: this.links, ...fields } });
  }
}
