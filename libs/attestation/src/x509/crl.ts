import { toHex } from '@usufruct/kernel';
import { rememberLatest, rememberPairs } from '../memo.js';
import { hasKeyFor, isSignedObject, signatureKind, type Certificate, type SignatureKind } from './certificate.js';
import { DER_TAG, parseDer, type DerElement } from './der.js';
import { X509Crl } from './library.js';

/** A certificate revocation list (RFC 5280 §5.1), read completely. */
export interface RevocationList {
  /** Hex of the encoded name. */
  readonly issuer: string;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Hex of each revoked serial number's INTEGER. */
  readonly revoked: ReadonlySet<string>;
  readonly parsed: X509Crl;
}

const CRL_BYTES_AT_MOST = 2 * 1024 * 1024;
const LISTS_REMEMBERED = 8;

/**
 * Strict DER of one complete CRL, or null. A CRL with a critical extension is refused: it would be an indirect or a
 * delta list (RFC 5280 §5.2.4, §5.2.5), which says less than it seems to. So is one without nextUpdate: nobody could
 * tell when it is stale.
 */
export const parseCrl = (der: Uint8Array): RevocationList | null =>
  der.length > CRL_BYTES_AT_MOST ? null : parseOnce(der);

const parseOnce = rememberLatest((der: Uint8Array): RevocationList | null => {
  const tree = parseDer(der);
  if (tree === null || !isSignedObject(tree)) return null;
  const revoked = revokedSerials(tree.children[0]!);
  if (revoked === null) return null;
  try {
    const parsed = new X509Crl(Uint8Array.from(der));
    if (parsed.extensions.some(({ critical }) => critical) || parsed.nextUpdate === undefined) return null;
    return {
      issuer: toHex(new Uint8Array(parsed.issuerName.toArrayBuffer())),
      thisUpdateMs: parsed.thisUpdate.getTime(),
      nextUpdateMs: parsed.nextUpdate.getTime(),
      revoked,
      parsed,
    };
  } catch {
    return null;
  }
}, LISTS_REMEMBERED);

/**
 * tbsCertList: [version] signature issuer thisUpdate [nextUpdate] [revokedCertificates] [crlExtensions]. The list of
 * revoked certificates is the third SEQUENCE, after those of the algorithm and the issuer. The library would make an
 * object with parsed extensions for each entry, which takes most of an appraisal's time.
 */
function revokedSerials(signed: DerElement): ReadonlySet<string> | null {
  const entries = signed.children.filter(({ tag }) => tag === DER_TAG.sequence)[2]?.children ?? [];
  const serials = new Set<string>();
  for (const { tag, children } of entries) {
    const [serial, , extensions] = children;
    if (tag !== DER_TAG.sequence || serial?.tag !== DER_TAG.integer || children.length > 3) return null;
    if (extensions?.children.some(isCritical)) return null;
    serials.add(toHex(serial.contents));
  }
  return serials;
}

const isCritical = ({ children }: DerElement): boolean =>
  children.some(({ tag, contents }) => tag === DER_TAG.boolean && contents[0] === 0xff);

/** True if the issuer's key made the signature of this list, in this way. */
export const isCrlSignedBy = (
  list: RevocationList,
  issuer: Certificate,
  signedWith: SignatureKind,
): Promise<boolean> =>
  signatureKind(list.parsed.signatureAlgorithm) === signedWith && hasKeyFor(issuer, signedWith)
    ? verifies(list, issuer)
    : Promise.resolve(false);

const verifies = rememberPairs(async ({ parsed }: RevocationList, issuer: Certificate): Promise<boolean> => {
  try {
    return await parsed.verify({ publicKey: issuer.parsed.publicKey });
  } catch {
    return false;
  }
});
