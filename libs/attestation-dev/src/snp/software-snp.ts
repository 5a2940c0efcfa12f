import {
  hardwareIdBytes,
  SNP_ENDORSEMENTS,
  snpMeasurement,
  type Endorsements,
  type SnpPolicy,
  type SnpProduct,
  type TeeDevice,
} from '@usufruct/attestation';
import { concatBytes, fromHex, toHex, u32le, utf8 } from '@usufruct/kernel';
import { derInteger, der } from '../der.js';
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '../x509.js';
import { pemOf } from '../authority.js';

/** A key of AMD's hierarchy in form, and the certificate over it. */
export interface SnpAuthority {
  readonly commonName: string;
  readonly keys: CryptoKeyPair;
  readonly der: Uint8Array;
  readonly serial: string;
}

export interface SnpPki {
  readonly product: SnpProduct;
  readonly kind: 'VCEK' | 'VLEK';
  readonly ark: SnpAuthority;
  readonly ask: SnpAuthority;
  readonly leaf: SnpAuthority;
}

/** What AMD would certify of the chip; the report of `DEV_SNP_REPORT` has the same. */
export interface SnpPlatform {
  readonly fmc: number;
  readonly bootloader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
  readonly chipId: Uint8Array;
}

export const DEV_SNP_PLATFORM: SnpPlatform = {
  fmc: 0,
  bootloader: 4,
  tee: 0,
  snp: 24,
  microcode: 219,
  chipId: new Uint8Array(64).fill(0xc1),
};

// 2048 bits where AMD's have 4096: keys are made for every run, and nothing here rests on their size.
const RSA = { name: 'RSA-PSS', hash: 'SHA-384', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) } as const;
const RSA_SIGN = { name: 'RSA-PSS', hash: 'SHA-384', saltLength: 48 } as const;
const P384 = { name: 'ECDSA', namedCurve: 'P-384' } as const;
const DAY_MS = 24 * 60 * 60_000;
const ARC = '1.3.6.1.4.1.3704.1';
const nameOf = (commonName: string): string => `CN=${commonName}, O=Usufruct software TEE DEV ONLY`;

export interface SnpPkiRequest {
  readonly nowMs: number;
  readonly product?: SnpProduct;
  readonly kind?: SnpPki['kind'];
  readonly platform?: SnpPlatform;
  /** In place of the names that AMD would give. */
  readonly askName?: string;
  readonly leafDays?: number;
  readonly askDays?: number;
  readonly arkDays?: number;
  readonly askIsCa?: boolean;
}

/** DEV ONLY: a root, an intermediate and an endorsement key in AMD's form (57230), under generated keys. */
export async function createSnpPki(request: SnpPkiRequest): Promise<SnpPki> {
  const { nowMs, product = 'Milan', kind = 'VCEK', platform = DEV_SNP_PLATFORM } = request;
  const askName = request.askName ?? (kind === 'VLEK' ? `SEV-VLEK-${product}` : `SEV-${product}`);
  const [arkKeys, askKeys, leafKeys] = await Promise.all([
    crypto.subtle.generateKey(RSA, true, ['sign', 'verify']),
    crypto.subtle.generateKey(RSA, true, ['sign', 'verify']),
    crypto.subtle.generateKey(P384, true, ['sign', 'verify']),
  ]);
  const issue = issuerOf(nowMs);
  const ark = await issue(
    `ARK-${product}`,
    arkKeys,
    { commonName: `ARK-${product}`, keys: arkKeys },
    true,
    [],
    request.arkDays,
  );
  const ask = await issue(askName, askKeys, ark, request.askIsCa ?? true, [], request.askDays);
  const extensions = endorsementExtensions(product, kind, platform);
  const leaf = await issue(`SEV-${kind}`, leafKeys, ask, false, extensions, request.leafDays);
  return { product, kind, ark, ask, leaf };
}

function issuerOf(nowMs: number) {
  return async (
    commonName: string,
    keys: CryptoKeyPair,
    issuer: Pick<SnpAuthority, 'commonName' | 'keys'>,
    isCa: boolean,
    extensions: readonly Extension[] = [],
    days = 365,
  ): Promise<SnpAuthority> => {
    const certificate = await X509CertificateGenerator.create({
      subject: nameOf(commonName),
      issuer: nameOf(issuer.commonName),
      publicKey: keys.publicKey,
      signingKey: issuer.keys.privateKey,
      signingAlgorithm: RSA_SIGN,
      notBefore: new Date(nowMs - DAY_MS),
      notAfter: new Date(nowMs + days * DAY_MS),
      extensions: isCa
        ? [
            new BasicConstraintsExtension(true, undefined, true),
            new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
          ]
        : [...extensions],
    });
    return { commonName, keys, der: new Uint8Array(certificate.rawData), serial: certificate.serialNumber };
  };
}

function endorsementExtensions(product: SnpProduct, kind: SnpPki['kind'], platform: SnpPlatform): Extension[] {
  const extension = (suffix: string, value: Uint8Array): Extension =>
    new Extension(`${ARC}.${suffix}`, false, Uint8Array.from(value));
  return [
    extension('1', derInteger(0)),
    extension('2', der(0x16, utf8(`${product}-B0`))),
    extension('3.1', derInteger(platform.bootloader)),
    extension('3.2', derInteger(platform.tee)),
    extension('3.3', derInteger(platform.snp)),
    extension('3.8', derInteger(platform.microcode)),
    ...(product === 'Turin' ? [extension('3.9', derInteger(platform.fmc))] : []),
    ...(kind === 'VCEK'
      ? [extension('4', platform.chipId.subarray(0, hardwareIdBytes(product)))]
      : [extension('5', der(0x16, utf8('DEV ONLY')))]),
  ];
}

/** Fields of a report by their offset (SEV-SNP ABI, table 23). */
export interface SnpReportFields {
  readonly version: number;
  readonly guestPolicy: Uint8Array;
  readonly vmpl: number;
  /** 1: ECDSA P-384. */
  readonly signatureAlgorithm: number;
  readonly platformInfo: Uint8Array;
  /** SIGNING_KEY and MASK_CHIP_KEY. */
  readonly flags: number;
  readonly reportData: Uint8Array;
  readonly measurement: Uint8Array;
  readonly hostData: Uint8Array;
  readonly reportedTcb: Uint8Array;
  readonly committedTcb: Uint8Array;
  readonly chipId: Uint8Array;
}

const OFFSETS = {
  guestPolicy: 0x08,
  platformInfo: 0x40,
  reportData: 0x50,
  measurement: 0x90,
  hostData: 0xc0,
  reportedTcb: 0x180,
  chipId: 0x1a0,
  committedTcb: 0x1e0,
} as const;
const SIGNED_BYTES = 0x2a0;
const REPORT_BYTES = 1184;

/** A guest as a good operator starts it: SMT permitted, no debugging, at the TCB of `DEV_SNP_PLATFORM`. */
export const DEV_SNP_REPORT: SnpReportFields = {
  version: 3,
  guestPolicy: fromHex('1f00030000000000'),
  vmpl: 0,
  signatureAlgorithm: 1,
  platformInfo: fromHex('2000000000000000'),
  flags: 0,
  reportData: new Uint8Array(64),
  measurement: new Uint8Array(48).fill(0xd1),
  hostData: new Uint8Array(32),
  reportedTcb: Uint8Array.of(4, 0, 0, 0, 0, 0, 24, 219),
  committedTcb: Uint8Array.of(4, 0, 0, 0, 0, 0, 24, 219),
  chipId: DEV_SNP_PLATFORM.chipId,
};

/** DEV ONLY: a report and the certificate of its key behind it, as the verifier wants them. */
export async function signSnpEvidence(
  pki: SnpPki,
  fields: Partial<SnpReportFields> = {},
  signer: CryptoKeyPair = pki.leaf.keys,
): Promise<Uint8Array<ArrayBuffer>> {
  const chipId = new Uint8Array(64);
  chipId.set(DEV_SNP_REPORT.chipId.subarray(0, hardwareIdBytes(pki.product)));
  const all = { ...DEV_SNP_REPORT, chipId, flags: pki.kind === 'VLEK' ? 4 : 0, ...fields };
  const report = new Uint8Array(REPORT_BYTES);
  report.set(u32le(all.version), 0);
  report.set(u32le(all.vmpl), 0x30);
  report.set(u32le(all.signatureAlgorithm), 0x34);
  report.set(u32le(all.flags), 0x48);
  for (const [name, offset] of Object.entries(OFFSETS)) report.set(all[name as keyof typeof OFFSETS], offset);
  const algorithm = { name: 'ECDSA', hash: 'SHA-384' };
  const signed = await crypto.subtle.sign(algorithm, signer.privateKey, report.subarray(0, SIGNED_BYTES));
  const signature = new Uint8Array(signed);
  report.set(signature.subarray(0, 48).toReversed(), SIGNED_BYTES);
  report.set(signature.subarray(48).toReversed(), SIGNED_BYTES + 72);
  return concatBytes(report, pki.leaf.der);
}

export interface SoftwareSnpOptions {
  readonly pki: SnpPki;
  /** The policy that the measurement names. */
  readonly policy: SnpPolicy;
  /** What its reports say otherwise than `DEV_SNP_REPORT`. */
  readonly fields?: Partial<SnpReportFields>;
  /** Who signs, when it is not the leaf. */
  readonly signer?: CryptoKeyPair | undefined;
}

/**
 * DEV ONLY. A guest without a processor of AMD: its reports have the format of AMD, but every key under them is generated,
 * and only a verifier that was given the generated root believes them. It was started without an ID block.
 */
export class SoftwareSnp implements TeeDevice {
  readonly profile = 'snp';
  readonly standIn = true;
  readonly eventLog = [];

  constructor(private readonly options: SoftwareSnpOptions) {}

  measurement(): Promise<string> {
    const { policy, fields } = this.options;
    const { measurement, hostData } = { ...DEV_SNP_REPORT, ...fields };
    const zeros = (bytes: number): string => '00'.repeat(bytes);
    const identity = {
      launchMeasurement: toHex(measurement),
      hostData: toHex(hostData),
      idKeyDigest: zeros(48),
      authorKeyDigest: zeros(48),
      familyId: zeros(16),
      imageId: zeros(16),
      guestSvn: 0,
    };
    return snpMeasurement(identity, policy);
  }

  quote(reportData: Uint8Array): Promise<Uint8Array> {
    const { pki, fields, signer } = this.options;
    return signSnpEvidence(pki, { ...fields, reportData }, signer);
  }
}

export interface SnpCollateralRequest {
  readonly pki: SnpPki;
  readonly nowMs: number;
  /** Of AMD's list: nobody unless told; null where the verifier has no list. */
  readonly revoked?: readonly SnpAuthority[] | null;
  readonly listSigner?: SnpAuthority;
  readonly listDays?: number;
}

/** DEV ONLY: what a verifier would fetch from AMD. */
export async function devSnpEndorsements(request: SnpCollateralRequest): Promise<Endorsements> {
  const { pki, nowMs, revoked = [], listSigner = pki.ark, listDays = 30 } = request;
  const chain = { [SNP_ENDORSEMENTS.chain(pki.kind, pki.product)]: utf8(pemOf(pki.ask, pki.ark)) };
  if (revoked === null) return chain;
  const list = await X509CrlGenerator.create({
    issuer: nameOf(pki.ark.commonName),
    thisUpdate: new Date(nowMs - 60 * DAY_MS),
    nextUpdate: new Date(nowMs + listDays * DAY_MS),
    entries: revoked.map(({ serial }) => ({ serialNumber: serial, revocationDate: new Date(nowMs - DAY_MS) })),
    signingAlgorithm: RSA_SIGN,
    signingKey: listSigner.keys.privateKey,
  });
  return { ...chain, [SNP_ENDORSEMENTS.crl(pki.product)]: new Uint8Array(list.rawData) };
}
