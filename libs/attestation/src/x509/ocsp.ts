import { concatBytes, toHex } from '@usufruct/kernel';
import { parseCertificate, type Certificate } from './certificate.js';
import { isCritical, timeOf } from './der-values.js';
import { DER_TAG, encodeObjectId, isObjectId, parseDer, smallInteger, type DerElement } from './der.js';

/** An answer about one certificate (RFC 6960 §4.2.1), read completely. */
export interface OcspResponse {
  /** Hex of the encoded name of who answers, or hex of SHA-1 of its key; one of them is ''. */
  readonly responderName: string;
  readonly responderKeyHash: string;
  readonly about: OcspCertificateId;
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Hex of what the asker sent, if the responder repeats it (RFC 8954); null for an answer made in advance. */
  readonly nonce: string | null;
  /** Of the responder, if it is not the issuer itself. */
  readonly certificates: readonly Certificate[];
  /** True for ecdsa-with-SHA384, the only way in which NVIDIA signs. */
  readonly isEcdsaSha384: boolean;
  readonly signedBytes: Uint8Array<ArrayBuffer>;
  /** DER: SEQUENCE { r, s }. */
  readonly signature: Uint8Array;
}

/** CertID: which certificate of which issuer. */
export interface OcspCertificateId {
  readonly hash: 'SHA-256' | 'SHA-384';
  /** Hex of the hash of the issuer's name and of its key. */
  readonly issuerNameHash: string;
  readonly issuerKeyHash: string;
  /** Hex of the serial number's INTEGER. */
  readonly serial: string;
}

const RESPONSE_BYTES_AT_MOST = 16 * 1024;
const CERTIFICATES_AT_MOST = 4;
const SUCCESSFUL = 0;
const BASIC_RESPONSE = encodeObjectId('1.3.6.1.5.5.7.48.1.1');
const NONCE = encodeObjectId('1.3.6.1.5.5.7.48.1.2');
const ECDSA_SHA384 = encodeObjectId('1.2.840.10045.4.3.3');
const HASHES = [
  { hash: 'SHA-256', identifier: encodeObjectId('2.16.840.1.101.3.4.2.1') },
  { hash: 'SHA-384', identifier: encodeObjectId('2.16.840.1.101.3.4.2.2') },
] as const;
/** Context-specific tags: [n] of a primitive and of a constructed element. */
const primitive = (n: number): number => 0x80 | n;
const constructed = (n: number): number => 0xa0 | n;
const STATUS: ReadonlyMap<number, OcspResponse['status']> = new Map([
  [primitive(0), 'good'],
  [constructed(1), 'revoked'],
  [primitive(2), 'unknown'],
]);

/**
 * Strict DER of one successful basic response about one certificate, or null. An answer without nextUpdate is refused:
 * nobody could tell when it is stale. So are SHA-1 as the hash of what is asked about, and critical extensions.
 */
export function parseOcsp(bytes: Uint8Array): OcspResponse | null {
  const outer = bytes.length > RESPONSE_BYTES_AT_MOST ? null : parseDer(bytes);
  const [status, wrapped, ...more] = outer?.children ?? [];
  if (outer?.tag !== DER_TAG.sequence || status === undefined || smallInteger(status) !== SUCCESSFUL) return null;
  if (status.tag !== DER_TAG.enumerated || wrapped?.tag !== constructed(0) || more.length > 0) return null;
  const [type, octets, ...others] = membersOf(theOnly(wrapped.children));
  if (
    type === undefined ||
    others.length > 0 ||
    !isObjectId(type, BASIC_RESPONSE) ||
    octets?.tag !== DER_TAG.octetString
  )
    return null;
  const basic = parseDer(octets.contents);
  return basic && readBasic(basic);
}

/** What a SEQUENCE is made of; nothing for another element. */
const membersOf = (element: DerElement | undefined): readonly DerElement[] =>
  element?.tag === DER_TAG.sequence ? element.children : [];
const theOnly = (elements: readonly DerElement[]): DerElement | undefined =>
  elements.length === 1 ? elements[0] : undefined;

/** tbsResponseData, signatureAlgorithm, signature, [0] certs. */
function readBasic(basic: DerElement): OcspResponse | null {
  const [signed, algorithm, signature, certs, ...more] = membersOf(basic);
  const data = signed && readData(signed);
  const certificates = readCertificates(certs);
  const [identifier, ...parameters] = membersOf(algorithm);
  if (!data || certificates === null || identifier === undefined || more.length > 0) return null;
  if (signature?.tag !== DER_TAG.bitString || signature.contents[0] !== 0) return null;
  const bits = signature.contents.subarray(1);
  // RFC 5758 §3.2: SEQUENCE of two positive numbers, in one encoding; the algorithm has no parameters.
  const pair = parseDer(bits);
  const isPair =
    pair?.tag === DER_TAG.sequence &&
    pair.children.length === 2 &&
    pair.children.every(({ tag, contents }) => tag === DER_TAG.integer && contents[0]! < 0x80);
  const isEcdsaSha384 = isPair && parameters.length === 0 && isObjectId(identifier, ECDSA_SHA384);
  return { ...data, certificates, isEcdsaSha384, signedBytes: concatBytes(signed.bytes), signature: bits };
}

function readCertificates(certs: DerElement | undefined): Certificate[] | null {
  if (certs === undefined) return [];
  const list = certs.tag === constructed(0) ? theOnly(certs.children) : undefined;
  if (list?.tag !== DER_TAG.sequence || list.children.length > CERTIFICATES_AT_MOST) return null;
  const read = list.children.map(({ bytes }) => parseCertificate(bytes)).filter((found) => found !== null);
  return read.length === list.children.length ? read : null;
}

type ResponseData = Omit<OcspResponse, 'certificates' | 'isEcdsaSha384' | 'signedBytes' | 'signature'>;

/** Without version, which is 1 where it is not said: responderID, producedAt, responses, [1] responseExtensions. */
function readData(data: DerElement): ResponseData | null {
  const [responder, producedAt, responses, extensions, ...more] = membersOf(data);
  const single = theOnly(membersOf(responses));
  const about = single && readSingle(single);
  const nonce = readExtensions(extensions);
  if (responder === undefined || !about || nonce === undefined) return null;
  if (producedAt === undefined || timeOf(producedAt) === null || more.length > 0) return null;
  const inner = theOnly(responder.children);
  if (inner === undefined) return null;
  const isName = responder.tag === constructed(1) && inner.tag === DER_TAG.sequence;
  const isKey = responder.tag === constructed(2) && inner.tag === DER_TAG.octetString;
  if (!isName && !isKey) return null;
  return {
    responderName: isName ? toHex(inner.bytes) : '',
    responderKeyHash: isKey ? toHex(inner.contents) : '',
    nonce,
    ...about,
  };
}

/** certID, certStatus, thisUpdate, [0] nextUpdate; without singleExtensions. */
function readSingle(
  single: DerElement,
): Pick<OcspResponse, 'about' | 'status' | 'thisUpdateMs' | 'nextUpdateMs'> | null {
  const [id, status, thisUpdate, nextUpdate, ...more] = membersOf(single);
  const about = id && readId(id);
  const said = status && STATUS.get(status.tag);
  const next = nextUpdate?.tag === constructed(0) ? theOnly(nextUpdate.children) : undefined;
  const thisUpdateMs = thisUpdate && timeOf(thisUpdate);
  const nextUpdateMs = next && timeOf(next);
  if (!about || said === undefined || more.length > 0) return null;
  if (typeof thisUpdateMs !== 'number' || typeof nextUpdateMs !== 'number') return null;
  return { about, status: said, thisUpdateMs, nextUpdateMs };
}

function readId(id: DerElement): OcspCertificateId | null {
  const [algorithm, name, key, serial, ...more] = membersOf(id);
  const [used] = membersOf(algorithm);
  const known = HASHES.find(({ identifier }) => used !== undefined && isObjectId(used, identifier));
  if (known === undefined || more.length > 0 || serial?.tag !== DER_TAG.integer) return null;
  if (name?.tag !== DER_TAG.octetString || key?.tag !== DER_TAG.octetString) return null;
  return {
    hash: known.hash,
    issuerNameHash: toHex(name.contents),
    issuerKeyHash: toHex(key.contents),
    serial: toHex(serial.contents),
  };
}

/** The nonce, or null for none; undefined for an extension that must be understood and is not. */
function readExtensions(extensions: DerElement | undefined): string | null | undefined {
  if (extensions === undefined) return null;
  const list = extensions.tag === constructed(1) ? theOnly(extensions.children) : undefined;
  if (list?.tag !== DER_TAG.sequence || list.children.some(isCritical)) return undefined;
  const nonces = list.children.filter(({ children: [type] }) => type !== undefined && isObjectId(type, NONCE));
  const value = theOnly(nonces)?.children.at(-1);
  if (nonces.length === 0) return null;
  const inner = value?.tag === DER_TAG.octetString ? parseDer(value.contents) : null;
  return inner?.tag === DER_TAG.octetString ? toHex(inner.contents) : undefined;
}
