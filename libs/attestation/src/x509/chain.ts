import { checkThat, failed, passed, skipped, type Check } from '@usufruct/kernel';
import { hasKeyFor, isSignedBy, parseCertificate, type Certificate, type SignatureKind } from './certificate.js';
import { parsePemChain } from './pem.js';

/** How a vendor signs: one algorithm for the whole chain, and the curve of the end entity's key. */
export interface ChainProfile {
  readonly signedWith: SignatureKind;
  readonly leafCurve: 'P-256' | 'P-384';
}

/** How NVIDIA and AWS sign, and the software TEE. */
export const P384_CHAIN: ChainProfile = { signedWith: 'ecdsa-p384-sha384', leafCurve: 'P-384' };
/** How AMD signs (57230, 3.1): RSA above a P-384 key. */
export const RSA_PSS_CHAIN: ChainProfile = { signedWith: 'rsa-pss-sha384', leafCurve: 'P-384' };

/** A chain as it travels: the end-entity certificate first, the root last. */
export type CertificateChain = readonly Certificate[];

/** The chain in a PEM text, strictly. Null if there is no text, or if it is not exactly a list of certificates. */
export function readPemChain(pem: Uint8Array | null | undefined): CertificateChain | null {
  const ders = pem && parsePemChain(pem);
  return ders ? parseChain(ders) : null;
}

/** DER certificates, strictly. Null if one of them is not one. */
export function parseChain(ders: readonly Uint8Array[]): CertificateChain | null {
  const chain: Certificate[] = [];
  for (const der of ders) {
    const certificate = parseCertificate(der);
    if (certificate === null) return null;
    chain.push(certificate);
  }
  return chain.length === 0 ? null : chain;
}

/** The root that was sent must be a pinned one in all of its bytes: names and keys can be imitated. */
export const isRootPinned = (chain: CertificateChain, pinned: readonly string[]): boolean =>
  pinned.includes(chain.at(-1)!.fingerprint);

export const checkRoot = (chains: readonly CertificateChain[], pinned: readonly string[]): Check =>
  checkThat(
    'ROOT_NOT_PINNED',
    chains.length > 0 && chains.every((chain) => isRootPinned(chain, pinned)),
    pinned.length === 0 ? 'no root is pinned for this profile' : 'the root is not one that is pinned',
  );

/**
 * RFC 5280 §6.1, for a chain of fixed length and one way of signing: names chain, signatures verify, every issuer is a
 * CA that may sign certificates and the end entity is neither, all are valid now. One check, whose detail says what is
 * wrong.
 */
export async function checkChain(chain: CertificateChain, profile: ChainProfile, nowMs: number): Promise<Check> {
  const flaw = authorityFlaw(chain) ?? (await pathFlaw(chain, profile, nowMs));
  return flaw === null ? passed('CHAIN') : failed('CHAIN', flaw);
}

/**
 * What is wrong with names, algorithms, dates or signatures of a chain; null when nothing is.
 * @param nowMs null to leave the dates to another check
 */
export async function pathFlaw(
  chain: CertificateChain,
  { signedWith, leafCurve }: ChainProfile,
  nowMs: number | null,
): Promise<string | null> {
  if (chain[0]?.curve !== leafCurve) return `certificate 0: its key is not on ${leafCurve}`;
  return linksFlaw(chain, signedWith, nowMs);
}

/** The same for a chain of CAs alone, such as the issuers of a list: all of them may sign certificates. */
export async function issuersFlaw(chain: CertificateChain, signedWith: SignatureKind): Promise<string | null> {
  const unfit = chain.findIndex((certificate, position) => !mayIssue(certificate, position));
  if (chain.length === 0 || unfit >= 0) return `certificate ${unfit}: not a CA that may sign certificates`;
  return linksFlaw(chain, signedWith, null);
}

async function linksFlaw(
  chain: CertificateChain,
  signedWith: SignatureKind,
  nowMs: number | null,
): Promise<string | null> {
  const issuerOf = (position: number): Certificate => chain[position + 1] ?? chain[position]!;
  // All at once: the platform verifies on threads of its own.
  const signed = await Promise.all(chain.map((certificate, position) => isSignedBy(certificate, issuerOf(position))));
  for (const [position, certificate] of chain.entries()) {
    const flaw = certificateFlaw(certificate, issuerOf(position), signedWith, nowMs);
    if (flaw !== null) return `certificate ${position}: ${flaw}`;
    if (signed[position] !== true) return `certificate ${position}: the signature does not verify`;
  }
  return null;
}

/** RFC 5280 §4.2.1.3 and §4.2.1.9: every issuer is a CA that may issue so many below it, and the end entity is none. */
export function authorityFlaw(chain: CertificateChain): string | null {
  for (const [position, certificate] of chain.entries()) {
    if (position > 0 && !mayIssue(certificate, position - 1)) {
      return `certificate ${position}: not a CA that may sign certificates`;
    }
    if (position === 0 && (certificate.isAuthority || certificate.maySignCertificates)) {
      return 'certificate 0: a CA stands where the end entity must';
    }
  }
  return null;
}

export const skippedChain = (reason: string): Check[] => [skipped('ROOT_NOT_PINNED', reason), skipped('CHAIN', reason)];

/** When the last certificate becomes valid. */
export const validFromMs = (chain: CertificateChain): number =>
  Math.max(...chain.map((certificate) => certificate.notBeforeMs));

/** When the first certificate expires. */
export const validUntilMs = (chain: CertificateChain): number =>
  Math.min(...chain.map((certificate) => certificate.notAfterMs));

function certificateFlaw(
  certificate: Certificate,
  issuer: Certificate,
  kind: SignatureKind,
  nowMs: number | null,
): string | null {
  if (certificate.issuer !== issuer.subject) return 'the issuer has another name';
  if (certificate.hasUnknownCritical) return 'a critical extension is unknown';
  if (certificate.signedWith !== kind || !hasKeyFor(issuer, kind)) return 'signed with another algorithm';
  if (nowMs === null) return null;
  // Written so that a date that is not a number counts as invalid.
  if (!(nowMs >= certificate.notBeforeMs)) return 'not valid yet';
  if (!(nowMs <= certificate.notAfterMs)) return 'expired';
  return null;
}

/** `below`: how many CA certificates stand between this one and the end entity. */
const mayIssue = ({ isAuthority, maySignCertificates, pathLength }: Certificate, below: number): boolean =>
  isAuthority && maySignCertificates && (pathLength === undefined || pathLength >= below);
