import { concatBytes, fromHex, toHex, utf8 } from '@usufruct/kernel';
import type { DevAuthority } from '../authority.js';
import { createGpuIdentity, type GpuIdentity, type NvidiaPki } from './pki.js';
import { opaqueField, pdiOf, signExchange } from './spdm.js';

/** What one GPU says about itself. */
export interface GpuFields {
  readonly driverVersion: string;
  /** Eight bytes: four little-endian, one, three of zero. */
  readonly vbios: Uint8Array;
  /** 48 bytes; null for firmware that does not say. */
  readonly firmwareId: Uint8Array | null;
  /** By index from 1, 48 bytes each; what is missing is zero. */
  readonly measurements: ReadonlyMap<number, Uint8Array>;
  /** Names of the NVSwitches that its links lead to, hex; '00…' for a link that leads nowhere. */
  readonly links: readonly string[];
}

const BLOCKS = 64;
const MEASUREMENT_BYTES = 48;
const zeros = (length: number): Uint8Array => new Uint8Array(length);
const filled = (value: number): Uint8Array => new Uint8Array(MEASUREMENT_BYTES).fill(value);

/** A GPU as its manifests describe it: driver values at even indices of the manifest, VBIOS values at odd ones. */
export const DEV_GPU: GpuFields = {
  driverVersion: '550.144.03',
  vbios: Uint8Array.of(0x00, 0x5e, 0x00, 0x96, 0x01, 0, 0, 0),
  firmwareId: filled(0xf1),
  measurements: new Map(Array.from({ length: 12 }, (_, i) => [i + 1, filled(0xc0 + i)])),
  links: [],
};

export interface GpuEvidenceRequest {
  readonly pki: NvidiaPki;
  readonly identity: GpuIdentity;
  readonly nonce: Uint8Array;
  readonly fields?: Partial<GpuFields>;
  /** Who signs, when it is not the leaf. */
  readonly signer?: DevAuthority | undefined;
}

/** DEV ONLY: an SPDM 1.1 exchange and a chain in NVIDIA's format, signed by a generated key. */
export function signGpuEvidence(request: GpuEvidenceRequest): Promise<Uint8Array<ArrayBuffer>> {
  const { pki, identity, nonce, signer } = request;
  const fields = { ...DEV_GPU, ...request.fields };
  const { measurements } = fields;
  return signExchange({ pki, identity, nonce, measurements, opaque: encodeOpaque(fields), signer, blocks: BLOCKS });
}

/** Driver 3, VBIOS 6, chip SKU 15, project 17, its SKU 18, firmware 20, switches 22 (bytes the other way round). */
function encodeOpaque({ driverVersion, vbios, firmwareId, links }: GpuFields): Uint8Array {
  const text = (type: number, value: string): Uint8Array => opaqueField(type, utf8(`${value}\0`));
  return concatBytes(
    opaqueField(6, vbios),
    text(15, '882'),
    text(17, '1010'),
    text(18, '0200'),
    text(3, driverVersion),
    ...(firmwareId === null ? [] : [opaqueField(20, firmwareId)]),
    ...(links.length === 0 ? [] : [opaqueField(22, concatBytes(...links.map((pdi) => fromHex(pdi).toReversed())))]),
  );
}

/** DEV ONLY. A GPU without hardware: it answers a nonce with evidence that only its generated root stands for. */
export class SoftwareGpu {
  private constructor(
    private readonly pki: NvidiaPki,
    readonly identity: GpuIdentity,
    private readonly fields: Partial<GpuFields>,
    /** SHA-256 of the boot ROM's certificate, hex. */
    readonly deviceId: string,
  ) {}

  /** Names of the NVSwitches that it is linked to. */
  links: readonly string[] = [];

  /** The name by which NVSwitches know it. */
  get pdi(): string {
    return pdiOf(this.identity);
  }

  static async create(pki: NvidiaPki, nowMs: number, fields: Partial<GpuFields> = {}): Promise<SoftwareGpu> {
    const firmwareId = fields.firmwareId ?? DEV_GPU.firmwareId ?? zeros(MEASUREMENT_BYTES);
    const identity = await createGpuIdentity({ pki, nowMs, firmwareId });
    const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(identity.bootRom.der));
    return new SoftwareGpu(pki, identity, fields, toHex(new Uint8Array(digest)));
  }

  evidence(nonce: Uint8Array): Promise<Uint8Array> {
    return signGpuEvidence({
      pki: this.pki,
      identity: this.identity,
      nonce,
      fields: { links: this.links, ...this.fields },
    });
  }
}
