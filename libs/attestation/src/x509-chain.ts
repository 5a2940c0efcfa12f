import { checkThat, equalBytes, failed, passed, skipped, type Check } from '@usufruct/kernel';
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509Certificate } from './x509.js';

/** One certificate, read completely: the library parses late and throws when a malformed part is first looked at. */
export interface Certificate {
  readonly der: Uint8Array;
  readonly subject: string;
  readonly issuer: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** basicConstraints (RFC 5280 §4.2.1.9) says that it is a CA. */
  readonly isAuthority: boolean;
  readonly pathLength: number | undefined;
  /** keyUsage (RFC 5280 §4.2.1.3) allows it to sign certificates. */
  readonly maySignCertificates: boolean;
  /** Key on P-384, signed with ECDSA and SHA-384. */
  readonly usesP384: boolean;
  readonly parsed: X509Certificate;
}

/** A chain as it travels: the end-entity certificate first, the root last. */
export type CertificateChain = readonly Certificate[];

/** DER certificates, strictly: nothing may follow the certificate, which the library alone would accept. Null if not. */
export function parseChain(ders: readonly Uint8Array[]): CertificateChain | null {
  if (!ders.every(isOneSequence)) return null;
  try {
    return ders.map(readCertificate);
  } catch {
    return null;
  }
}

/** The outermost DER element is a SEQUENCE with a two-byte length (X.690 §8.1.3) that covers exactly these bytes. */
const isOneSequence = (der: Uint8Array): boolean =>
  der.length > 4 && der[0] === 0x30 && der[1] === 0x82 && ((der[2]! << 8) | der[3]!) === der.length - 4;

function readCertificate(der: Uint8Array): Certificate {
  const parsed = new X509Certificate(Uint8Array.from(der));
  const constraints = parsed.getExtension(BasicConstraintsExtension);
  const usages = parsed.getExtension(KeyUsagesExtension)?.usages ?? 0;
  return {
    der,
    subject: parsed.subject,
    issuer: parsed.issuer,
    notBeforeMs: parsed.notBefore.getTime(),
    notAfterMs: parsed.notAfter.getTime(),
    isAuthority: constraints?.ca ?? false,
    pathLength: constraints?.pathLength,
    maySignCertificates: (usages & KeyUsageFlags.keyCertSign) !== 0,
    usesP384: usesP384(parsed),
    parsed,
  };
}

function usesP384({ publicKey, signatureAlgorithm }: X509Certificate): boolean {
  const key = publicKey.algorithm as Partial<EcKeyAlgorithm>;
  const isKey = key.name === 'ECDSA' && key.namedCurve === 'P-384';
  return isKey && signatureAlgorithm.name === 'ECDSA' && signatureAlgorithm.hash.name === 'SHA-384';
}

/** The root that was sent must equal a pinned one byte for byte: names and keys can be imitated. */
export const checkRoot = (chain: CertificateChain, pinned: readonly Uint8Array[]): Check =>
  checkThat(
    'ROOT_NOT_PINNED',
    pinned.some((root) => equalBytes(root, chain.at(-1)!.der)),
    pinned.length === 0 ? 'no root is pinned for this profile' : 'the root is not one that is pinned',
  );

/**
 * RFC 5280 §6.1, for a chain of fixed length and ECDSA P-384 with SHA-384 throughout: names chain, signatures verify,
 * every issuer is a CA that may sign certificates and the end entity is neither, all are valid now. One check, whose
 * detail says what is wrong.
 */
export async function checkChain(chain: CertificateChain, nowMs: number): Promise<Check> {
  for (const [position, certificate] of chain.entries()) {
    const issuer = chain[position + 1] ?? certificate;
    const flaw = flawOf(certificate, issuer, position, nowMs) ?? (await signatureFlaw(certificate, issuer));
    if (flaw !== null) return failed('CHAIN', `certificate ${position}: ${flaw}`);
  }
  return passed('CHAIN');
}

export const skippedChain = (reason: string): Check[] => [skipped('ROOT_NOT_PINNED', reason), skipped('CHAIN', reason)];

/** When the first certificate expires. */
export const validUntilMs = (chain: CertificateChain): number =>
  Math.min(...chain.map((certificate) => certificate.notAfterMs));

function flawOf(certificate: Certificate, issuer: Certificate, position: number, nowMs: number): string | null {
  const mustBeIssuer = position > 0;
  if (certificate.issuer !== issuer.subject) return 'the issuer has another name';
  if (!certificate.usesP384) return 'not ECDSA P-384 with SHA-384';
  // Written so that a date that is not a number counts as invalid.
  if (!(nowMs >= certificate.notBeforeMs)) return 'not valid yet';
  if (!(nowMs <= certificate.notAfterMs)) return 'expired';
  if (mustBeIssuer && !mayIssue(certificate, position - 1)) return 'not a CA that may sign certificates';
  if (!mustBeIssuer && (certificate.isAuthority || certificate.maySignCertificates)) {
    return 'a CA stands where the end entity must';
  }
  return null;
}

/** `below`: how many CA certificates stand between this one and the end entity. */
const mayIssue = ({ isAuthority, maySignCertificates, pathLength }: Certificate, below: number): boolean =>
  isAuthority && maySignCertificates && (pathLength === undefined || pathLength >= below);

async function signatureFlaw(certificate: Certificate, issuer: Certificate): Promise<string | null> {
  try {
    const { publicKey } = issuer.parsed;
    if (await certificate.parsed.verify({ publicKey, signatureOnly: true })) return null;
  } catch {
    // a key or signature that cannot be used is as good as a wrong one
  }
  return 'the signature does not verify';
}
