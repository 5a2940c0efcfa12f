import { issueAuthority, type DevAuthority } from '../authority.js';
import { derInteger, derObjectId, derOctets, derSequence } from '../der.js';

/** Roots and intermediates of devices and of reference manifests. */
export interface NvidiaPki {
  readonly deviceRoot: DevAuthority;
  readonly identityCa: DevAuthority;
  readonly provisioner: DevAuthority;
  /** Signer, two intermediates, root. */
  readonly rim: readonly [DevAuthority, DevAuthority, DevAuthority, DevAuthority];
}

/** What one GPU holds: the certificate of its boot ROM, and the leaf that it made for its firmware. */
export interface GpuIdentity {
  readonly bootRom: DevAuthority;
  readonly leaf: DevAuthority;
}

const CURVE = 'P-384';
const DICE_COMPOSITE_DEVICE_ID = '2.23.133.5.4.1';
const SHA384 = '2.16.840.1.101.3.4.2.2';

/** DEV ONLY: NVIDIA's two hierarchies in form, under generated keys. Every name says so. */
export async function createNvidiaPki(nowMs: number): Promise<NvidiaPki> {
  const ca = (commonName: string, issuer?: DevAuthority): Promise<DevAuthority> =>
    issueAuthority({ commonName, isCa: true, nowMs, curve: CURVE, ...(issuer === undefined ? {} : { issuer }) });
  const [deviceRoot, rimRoot] = await Promise.all([
    ca('NVIDIA Device Identity CA'),
    ca('NVIDIA CoRIM signing Root CA'),
  ]);
  const identityCa = await ca('NVIDIA GH100 Identity', deviceRoot);
  const provisioner = await ca('NVIDIA GH100 Provisioner ICA 1', identityCa);
  const rimCa = await ca('NVIDIA Reference Value GH100 CA', rimRoot);
  const rimIssuer = await ca('NVIDIA Reference Value L3 GH100', rimCa);
  const signer = await issueAuthority({
    commonName: 'RIM L4 Signer',
    issuer: rimIssuer,
    isCa: false,
    nowMs,
    curve: CURVE,
  });
  return { deviceRoot, identityCa, provisioner, rim: [signer, rimIssuer, rimCa, rimRoot] };
}

export interface GpuIdentityRequest {
  readonly pki: NvidiaPki;
  readonly nowMs: number;
  /** 48 bytes. */
  readonly firmwareId: Uint8Array;
  readonly untilDays?: number;
  readonly bootRomDays?: number;
  /** Of the leaf, hex. */
  readonly serial?: string;
  /** 'GH100 A01 GSP' of a GPU. */
  readonly chip?: string;
}

/** TCG DICE: the boot ROM issues a leaf for the firmware that it measured. */
export async function createGpuIdentity(request: GpuIdentityRequest): Promise<GpuIdentity> {
  const { pki, nowMs, firmwareId, untilDays = 365, bootRomDays = 365, serial, chip = 'GH100 A01 GSP' } = request;
  const bootRom = await issueAuthority({
    commonName: `${chip} BROM`,
    issuer: pki.provisioner,
    isCa: true,
    nowMs,
    untilDays: bootRomDays,
    curve: CURVE,
  });
  const composite = derSequence(derInteger(1), derSequence(derObjectId(SHA384), derOctets(firmwareId)));
  const leaf = await issueAuthority({
    commonName: `${chip} FMC LF`,
    issuer: bootRom,
    isCa: false,
    nowMs,
    untilDays,
    curve: CURVE,
    ...(serial === undefined ? {} : { serial }),
    extensions: { [DICE_COMPOSITE_DEVICE_ID]: composite },
  });
  return { bootRom, leaf };
}
