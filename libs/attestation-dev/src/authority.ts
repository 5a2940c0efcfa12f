import { concatBytes, toBase64, toHex } from '@usufruct/kernel';
import {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
} from './x509.js';

const ALGORITHMS = {
  'P-256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'P-384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
} as const;

/** Intel's are on P-256, NVIDIA's on P-384; each with the hash of its size. */
export type DevCurve = keyof typeof ALGORITHMS;
const DAY_MS = 24 * 60 * 60_000;

/** A key and the certificate over it. */
export interface DevAuthority {
  readonly commonName: string;
  readonly keys: CryptoKeyPair;
  readonly der: Uint8Array;
  /** Hex, as it is written into revocation lists. */
  readonly serial: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** Missing: it issues itself. */
  readonly issuer?: DevAuthority;
  /** Whose key signs, when it is not the issuer's. */
  readonly signer?: DevAuthority;
  readonly isCa: boolean;
  readonly nowMs: number;
  readonly curve?: DevCurve;
  /** Days from now; negative for the past. */
  readonly fromDays?: number;
  readonly untilDays?: number;
  /** Hex; a random one when it is missing. */
  readonly serial?: string;
  /** Contents of further extensions, by identifier. */
  readonly extensions?: Readonly<Record<string, Uint8Array>>;
  /** Identifiers of those that are critical. */
  readonly critical?: readonly string[];
}

/** Every name says DEV ONLY beside the vendor's common name, which the verifier looks for. */
const nameOf = (commonName: string): string => `CN=${commonName}, O=Usufruct software TEE DEV ONLY`;
const daysFrom = (nowMs: number, days: number): Date => new Date(nowMs + days * DAY_MS);

/** DEV ONLY: a certificate in a vendor's form, with a fresh key. Keys come from the platform's WebCrypto. */
export async function issueAuthority(request: CertificateRequest): Promise<DevAuthority> {
  const { commonName, issuer, isCa, nowMs, fromDays = -1, untilDays = 365, extensions = {}, critical = [] } = request;
  const algorithm = ALGORITHMS[request.curve ?? 'P-256'];
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const serial = request.serial ?? toHex(Uint8Array.of(0x10, ...crypto.getRandomValues(new Uint8Array(8))));
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial,
    subject: nameOf(commonName),
    issuer: nameOf(issuer?.commonName ?? commonName),
    publicKey: keys.publicKey,
    signingKey: (request.signer ?? issuer)?.keys.privateKey ?? keys.privateKey,
    signingAlgorithm: algorithm,
    notBefore: daysFrom(nowMs, fromDays),
    notAfter: daysFrom(nowMs, untilDays),
    extensions: [
      new BasicConstraintsExtension(isCa, undefined, true),
      new KeyUsagesExtension(
        isCa ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature,
        true,
      ),
      ...Object.entries(extensions).map(
        ([id, value]) => new Extension(id, critical.includes(id), Uint8Array.from(value)),
      ),
    ],
  });
  return { commonName, keys, der: new Uint8Array(certificate.rawData), serial };
}

export interface CrlRequest {
  readonly issuer: DevAuthority;
  /** Whose key signs, when it is not the issuer's. */
  readonly signer?: DevAuthority;
  readonly nowMs: number;
  readonly fromDays?: number;
  readonly untilDays?: number;
  readonly revoked?: readonly DevAuthority[];
}

/** DEV ONLY: a revocation list in DER. */
export async function issueCrl(request: CrlRequest): Promise<Uint8Array> {
  const { issuer, signer = issuer, nowMs, fromDays = -1, untilDays = 30, revoked = [] } = request;
  const list = await X509CrlGenerator.create({
    issuer: nameOf(issuer.commonName),
    thisUpdate: daysFrom(nowMs, fromDays),
    nextUpdate: daysFrom(nowMs, untilDays),
    entries: revoked.map(({ serial }) => ({ serialNumber: serial, revocationDate: daysFrom(nowMs, -1) })),
    signingAlgorithm: ALGORITHMS['P-256'],
    signingKey: signer.keys.privateKey,
  });
  return new Uint8Array(list.rawData);
}

/** ECDSA with the hash of the curve, r ‖ s. */
export async function signRaw(
  signer: CryptoKeyPair,
  message: Uint8Array,
  curve: DevCurve = 'P-256',
): Promise<Uint8Array> {
  const { name, hash } = ALGORITHMS[curve];
  return new Uint8Array(await crypto.subtle.sign({ name, hash }, signer.privateKey, Uint8Array.from(message)));
}

/** RFC 7468, lines of 64 characters. */
export const pemOf = (...chain: readonly Pick<DevAuthority, 'der'>[]): string =>
  chain
    .map(({ der: bytes }) => {
      const lines = toBase64(concatBytes(bytes)).match(/.{1,64}/g) ?? [];
      return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
    })
    .join('');
