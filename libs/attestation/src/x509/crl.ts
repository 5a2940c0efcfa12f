import { concatBytes, equalBytes, toHex } from '@usufruct/kernel';
import { rememberLatest, rememberPairs } from '../memo.js';
import { isSignedObject, hasKeyFor, type Certificate, type SignatureKind } from './certificate.js';
import { isCritical, rawEcdsa, timeOf } from './der-values.js';
import { DER_TAG, encodeObjectId, isObjectId, parseDer, type DerElement } from './der.js';

/** A certificate revocation list (RFC 5280 §5.1), read completely. */
export interface RevocationList {
  /** Hex of the encoded name. */
  readonly issuer: string;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** CRL Number (RFC 5280 §5.2.3), which grows with every list of an issuer; null for a list without one. */
  readonly number: bigint | null;
  /** Hex of each revoked serial number's INTEGER. */
  readonly revoked: ReadonlySet<string>;
  /** Null for a way of signing that neither vendor uses. */
  readonly signedWith: SignatureKind | null;
  /** What is signed, and the signature as its algorithm encodes it. */
  readonly signedBytes: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array;
}

const CRL_BYTES_AT_MOST = 2 * 1024 * 1024;
const LISTS_REMEMBERED = 8;
const CONTEXT_0 = 0xa0;

/**
 * Strict DER of one complete CRL of version 2, or null. A CRL with a critical extension is refused: it would be an
 * indirect or a delta list (RFC 5280 §5.2.4, §5.2.5), which says less than it seems to. So is one without nextUpdate:
 * nobody could tell when it is stale. It is read from the strict tree and not by the library, which makes an object
 * with parsed extensions of each entry and thereby takes more time than all the rest of an appraisal.
 */
export const parseCrl = (der: Uint8Array): RevocationList | null =>
  der.length > CRL_BYTES_AT_MOST ? null : parseOnce(der);

const parseOnce = rememberLatest((der: Uint8Array): RevocationList | null => {
  const tree = parseDer(der);
  return tree === null || !isSignedObject(tree) ? null : readList(tree);
}, LISTS_REMEMBERED);

/** tbsCertList: version, signature, issuer, thisUpdate, nextUpdate, [revokedCertificates], [0] crlExtensions. */
function readList({ children: [signed, algorithm, signature] }: DerElement): RevocationList | null {
  const [version, , issuer, thisUpdate, nextUpdate, ...rest] = signed?.children ?? [];
  const entries = rest[0]?.tag === DER_TAG.sequence ? rest.shift() : undefined;
  const extensions = rest[0]?.tag === CONTEXT_0 ? rest.shift() : undefined;
  const revoked = revokedSerials(entries?.children ?? []);
  const thisUpdateMs = thisUpdate && timeOf(thisUpdate);
  const nextUpdateMs = nextUpdate && timeOf(nextUpdate);
  if (!signed || !algorithm || !signature || rest.length > 0 || revoked === null) return null;
  if (version?.tag !== DER_TAG.integer || version.contents[0] !== 1 || issuer?.tag !== DER_TAG.sequence) return null;
  if (extensions?.children[0]?.children.some(isCritical)) return null;
  if (typeof thisUpdateMs !== 'number' || typeof nextUpdateMs !== 'number') return null;
  return {
    issuer: toHex(issuer.bytes),
    thisUpdateMs,
    nextUpdateMs,
    number: numberOf(extensions),
    revoked,
    signedWith: signatureKindOf(algorithm),
    signedBytes: concatBytes(signed.bytes),
    signature: signature.contents.subarray(1),
  };
}

function revokedSerials(entries: readonly DerElement[]): ReadonlySet<string> | null {
  const serials = new Set<string>();
  for (const { tag, children } of entries) {
    const [serial, , extensions] = children;
    if (tag !== DER_TAG.sequence || serial?.tag !== DER_TAG.integer || children.length > 3) return null;
    if (extensions?.children.some(isCritical)) return null;
    serials.add(toHex(serial.contents));
  }
  return serials;
}

const CRL_NUMBER = encodeObjectId('2.5.29.20');

/** Null also for a number that is not a positive INTEGER of at most 20 bytes, as the RFC has it. */
function numberOf(extensions: DerElement | undefined): bigint | null {
  const found = extensions?.children[0]?.children.find(
    ({ children: [identifier] }) => identifier !== undefined && isObjectId(identifier, CRL_NUMBER),
  );
  const value = found?.children.at(-1);
  const number = value?.tag === DER_TAG.octetString ? parseDer(value.contents) : null;
  if (number?.tag !== DER_TAG.integer || number.contents[0]! >= 0x80 || number.contents.length > 20) return null;
  return BigInt(`0x${toHex(number.contents)}`);
}

const ECDSA_SHA256 = encodeObjectId('1.2.840.10045.4.3.2');
/** RSASSA-PSS with SHA-384, MGF1 with SHA-384 and 48 bytes of salt (RFC 4055 §3.1), as AMD writes its parameters. */
const RSA_PSS = encodeObjectId('1.2.840.113549.1.1.10');
const SHA384 = encodeObjectId('2.16.840.1.101.3.4.2.2');

function signatureKindOf({ children: [identifier, parameters] }: DerElement): SignatureKind | null {
  if (identifier === undefined) return null;
  if (equalBytes(identifier.contents, ECDSA_SHA256)) return 'ecdsa-p256-sha256';
  const hash = parameters?.children[0]?.children[0]?.children[0];
  const isPss = equalBytes(identifier.contents, RSA_PSS) && hash !== undefined && equalBytes(hash.contents, SHA384);
  return isPss ? 'rsa-pss-sha384' : null;
}

const ALGORITHMS = {
  'ecdsa-p256-sha256': {
    key: { name: 'ECDSA', namedCurve: 'P-256' },
    verify: { name: 'ECDSA', hash: 'SHA-256' },
  },
  'rsa-pss-sha384': {
    key: { name: 'RSA-PSS', hash: 'SHA-384' },
    // Another length of salt does not verify.
    verify: { name: 'RSA-PSS', saltLength: 48 },
  },
} as const;

/** How Intel and AMD sign their lists. */
export type CrlSignature = keyof typeof ALGORITHMS;

/** True if the issuer's key made the signature of this list, in this way. */
export async function isCrlSignedBy(
  list: RevocationList,
  issuer: Certificate,
  signedWith: CrlSignature,
): Promise<boolean> {
  if (list.signedWith !== signedWith || !hasKeyFor(issuer, signedWith)) return false;
  try {
    return await verifiedList(list, issuer);
  } catch {
    // not remembered: an engine may throw for want of memory as well as for a key that cannot be used
    return false;
  }
}

const verifiedList = rememberPairs(async (list: RevocationList, issuer: Certificate): Promise<boolean> => {
  if (list.signedWith !== 'ecdsa-p256-sha256' && list.signedWith !== 'rsa-pss-sha384') return false;
  const { key, verify } = ALGORITHMS[list.signedWith];
  const signature = key.name === 'ECDSA' ? rawEcdsa(list.signature, 32) : concatBytes(list.signature);
  const publicKey = await issuer.parsed.publicKey.export(key, ['verify']);
  return crypto.subtle.verify(verify, publicKey, signature, list.signedBytes);
});
