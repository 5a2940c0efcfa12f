import { sha256 } from '@usufruct/crypto';
import { equalBytes, toHex } from '@usufruct/kernel';
import { rememberLatest, rememberPairs } from '../memo.js';
import { DER_TAG, encodeObjectId, parseDer, type DerElement } from './der.js';
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509Certificate } from './library.js';

/** The two ways in which the vendors' certificates are signed, and the software TEE's. */
export type SignatureKind = 'ecdsa-p256-sha256' | 'ecdsa-p384-sha384' | 'rsa-pss-sha384';

/** One certificate, read completely: the library parses late and throws when a malformed part is first looked at. */
export interface Certificate {
  readonly der: Uint8Array;
  /** SHA-256 of the DER, hex. */
  readonly fingerprint: string;
  /** Hex of the encoded names: two names are the same only if every byte is. */
  readonly subject: string;
  readonly issuer: string;
  /** The one common name of the subject; '' when there is none or more than one. */
  readonly commonName: string;
  /** The one organisation of the subject; '' when there is none or more than one. */
  readonly organisation: string;
  /** Hex of the serial number's INTEGER. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** basicConstraints (RFC 5280 §4.2.1.9) says that it is a CA. */
  readonly isAuthority: boolean;
  readonly pathLength: number | undefined;
  /** keyUsage (RFC 5280 §4.2.1.3) allows it to sign certificates. */
  readonly maySignCertificates: boolean;
  /** keyUsage allows it to sign what is no certificate (digitalSignature). */
  readonly maySignData: boolean;
  /** How it was signed; null for any other way. */
  readonly signedWith: SignatureKind | null;
  /** 'P-256', 'P-384' or '' for a key on no such curve. */
  readonly curve: string;
  readonly isRsa: boolean;
  /** RFC 5280 §4.2: an extension that is critical and unknown here means that the certificate must be refused. */
  readonly hasUnknownCritical: boolean;
  /** Identifiers of all critical extensions. */
  readonly critical: readonly string[];
  readonly extension: (dotted: string) => Uint8Array | null;
  readonly parsed: X509Certificate;
}

const CERTIFICATE_BYTES_AT_MOST = 16 * 1024;
/** Roots, CAs and signers of every vendor, and some leaves. */
const CERTIFICATES_REMEMBERED = 64;
const KNOWN_CRITICAL: ReadonlySet<string> = new Set(['2.5.29.15', '2.5.29.19']);

/** Strict DER of one X.509 v3 certificate (RFC 5280 §4.1), or null. */
export function parseCertificate(der: Uint8Array): Certificate | null {
  if (der.length > CERTIFICATE_BYTES_AT_MOST) return null;
  try {
    return parseOnce(der);
  } catch {
    // what the library cannot read, or could not this time: either way nothing is remembered
    return null;
  }
}

const parseOnce = rememberLatest((der: Uint8Array): Certificate | null => {
  const tree = parseDer(der);
  return tree === null || !isSignedObject(tree) ? null : readCertificate(der, tree);
}, CERTIFICATES_REMEMBERED);

/**
 * RFC 5280 §4.1.1.2: the algorithm is named inside and outside of what is signed, and both must be the same. The
 * signature itself must be strict as well (RFC 5758 §3.2: SEQUENCE of two INTEGERs), although nothing signs it: the
 * library accepts a SEQUENCE whose length is wrong, so that one certificate would have several encodings.
 */
export function isSignedObject({ tag, children }: DerElement): boolean {
  const [signed, algorithm, signature, ...more] = children;
  if (tag !== DER_TAG.sequence || signed === undefined || algorithm === undefined || more.length > 0) return false;
  const named = signed.children.find((child) => child.tag === DER_TAG.sequence);
  if (named === undefined || !equalBytes(named.bytes, algorithm.bytes)) return false;
  if (signature?.tag !== DER_TAG.bitString || signature.contents[0] !== 0) return false;
  return !isEcdsa(algorithm) || isEcdsaSignature(signature.contents.subarray(1));
}

/** ecdsa-with-SHA2, 1.2.840.10045.4.3: the arc of the algorithms of RFC 5758 §3.2. */
const ECDSA_WITH_SHA2 = encodeObjectId('1.2.840.10045.4.3');
const isEcdsa = ({ children: [identifier] }: DerElement): boolean =>
  identifier !== undefined && equalBytes(identifier.contents.subarray(0, ECDSA_WITH_SHA2.length), ECDSA_WITH_SHA2);

function isEcdsaSignature(bytes: Uint8Array): boolean {
  const value = parseDer(bytes);
  const isPositive = ({ tag, contents }: DerElement): boolean => tag === DER_TAG.integer && contents[0]! < 0x80;
  return value?.tag === DER_TAG.sequence && value.children.length === 2 && value.children.every(isPositive);
}

function readCertificate(der: Uint8Array, tree: DerElement): Certificate | null {
  // TBSCertificate: [0] version, then the serial number, its only INTEGER.
  const serial = tree.children[0]?.children.find(({ tag }) => tag === DER_TAG.integer);
  const parsed = new X509Certificate(Uint8Array.from(der));
  const constraints = parsed.getExtension(BasicConstraintsExtension);
  const usages = parsed.getExtension(KeyUsagesExtension)?.usages ?? 0;
  const types = parsed.extensions.map(({ type }) => type);
  const critical = parsed.extensions.filter((extension) => extension.critical).map(({ type }) => type);
  if (serial === undefined || new Set(types).size !== types.length) return null;
  const key = parsed.publicKey.algorithm as Partial<EcKeyAlgorithm>;
  return {
    der,
    fingerprint: toHex(sha256(der)),
    subject: toHex(new Uint8Array(parsed.subjectName.toArrayBuffer())),
    issuer: toHex(new Uint8Array(parsed.issuerName.toArrayBuffer())),
    commonName: theOnly(parsed.subjectName.getField('CN')),
    organisation: theOnly(parsed.subjectName.getField('O')),
    serial: toHex(serial.contents),
    notBeforeMs: parsed.notBefore.getTime(),
    notAfterMs: parsed.notAfter.getTime(),
    isAuthority: constraints?.ca ?? false,
    pathLength: constraints?.pathLength,
    maySignCertificates: (usages & KeyUsageFlags.keyCertSign) !== 0,
    maySignData: (usages & KeyUsageFlags.digitalSignature) !== 0,
    signedWith: signatureKind(parsed.signatureAlgorithm),
    curve: key.name === 'ECDSA' ? (key.namedCurve ?? '') : '',
    isRsa: key.name?.startsWith('RSA') ?? false,
    hasUnknownCritical: critical.some((type) => !KNOWN_CRITICAL.has(type)),
    critical,
    extension: (dotted) => {
      const found = parsed.getExtension(dotted);
      return found === null ? null : new Uint8Array(found.value);
    },
    parsed,
  };
}

const theOnly = (values: readonly string[]): string => (values.length === 1 ? values[0]! : '');

/** Null for a way of signing that none of the vendors uses. */
function signatureKind({ name, hash }: X509Certificate['signatureAlgorithm']): SignatureKind | null {
  if (name === 'ECDSA' && hash.name === 'SHA-256') return 'ecdsa-p256-sha256';
  if (name === 'ECDSA' && hash.name === 'SHA-384') return 'ecdsa-p384-sha384';
  return name === 'RSA-PSS' && hash.name === 'SHA-384' ? 'rsa-pss-sha384' : null;
}

const KEY_OF: Readonly<Record<SignatureKind, (issuer: Certificate) => boolean>> = {
  'ecdsa-p256-sha256': ({ curve }) => curve === 'P-256',
  'ecdsa-p384-sha384': ({ curve }) => curve === 'P-384',
  'rsa-pss-sha384': ({ isRsa }) => isRsa,
};
/** True if the certificate's key is one for this way of signing. */
export const hasKeyFor = (issuer: Certificate, kind: SignatureKind): boolean => KEY_OF[kind](issuer);

/** True if the issuer's key made the signature of this certificate. */
export async function isSignedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  try {
    return await verifiedLink(certificate, issuer);
  } catch {
    // A key or signature that cannot be used is as good as a wrong one now. It is not remembered as one: an engine may
    // throw for want of memory, too.
    return false;
  }
}

const verifiedLink = rememberPairs(async ({ parsed }: Certificate, issuer: Certificate): Promise<boolean> => {
  const { publicKey: key } = issuer.parsed;
  // Exported here, because the library takes an engine that throws over it for a signature that is wrong.
  const publicKey = await key.export({ ...key.algorithm, ...parsed.signatureAlgorithm }, ['verify']);
  return parsed.verify({ publicKey, signatureOnly: true });
});

const CURVE_OF = { 'SHA-256': 'P-256', 'SHA-384': 'P-384' } as const;

/** ECDSA over `message` by the key of a certificate, on the hash's curve; the signature is r ‖ s, as quotes carry it. */
export async function hasEcdsaSignature(
  certificate: Certificate,
  hash: keyof typeof CURVE_OF,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  if (certificate.curve !== CURVE_OF[hash]) return false;
  try {
    const algorithm = { name: 'ECDSA', namedCurve: CURVE_OF[hash] };
    const key = await certificate.parsed.publicKey.export(algorithm, ['verify']);
    const [signed, bytes] = [Uint8Array.from(message), Uint8Array.from(signature)];
    return await crypto.subtle.verify({ name: 'ECDSA', hash }, key, bytes, signed);
  } catch {
    return false;
  }
}

/** RFC 5280 §4.2.1.12: the purposes in extendedKeyUsage, as encoded identifiers in hex; empty where it has none. */
export function purposesOf({ extension }: Certificate): readonly string[] {
  const purposes = parseDer(extension('2.5.29.37') ?? new Uint8Array());
  return (purposes?.children ?? [])
    .filter(({ tag }) => tag === DER_TAG.objectId)
    .map(({ contents }) => toHex(contents));
}

/** The public key as subjectPublicKey holds it (RFC 5280 §4.1.2.7), without the count of unused bits. */
export const keyBits = ({ parsed }: Certificate): Uint8Array =>
  parseDer(new Uint8Array(parsed.publicKey.rawData))?.children[1]?.contents.subarray(1) ?? new Uint8Array();
