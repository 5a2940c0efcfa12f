import { concatBytes, fromHex } from '@usufruct/kernel';
import { issueAuthority, signRaw, type CertificateRequest, type DevAuthority } from './authority.js';
import { der, derObjectId, derOctets, derSequence } from './der.js';
import { X509Certificate } from './x509.js';

const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const NONCE = '1.3.6.1.5.5.7.48.1.2';
/** An uncompressed point of P-384, with which a subjectPublicKey ends. */
const POINT_BYTES = 97;
const DAY_MS = 24 * 60 * 60_000;

export interface OcspRequest {
  readonly certificate: DevAuthority;
  readonly issuer: DevAuthority;
  /** Who answers; missing: the issuer itself. */
  readonly responder?: DevAuthority;
  /** Whose key signs, when it is not the responder's. */
  readonly signer?: DevAuthority;
  readonly status?: 'good' | 'revoked' | 'unknown';
  readonly nowMs: number;
  readonly fromDays?: number;
  /** Null: it does not say. */
  readonly untilDays?: number | null;
  /** Named by the hash of its key, as NVIDIA's are, or by its name. */
  readonly isByName?: boolean;
  readonly hash?: 'SHA-1' | 'SHA-256' | 'SHA-384';
  readonly nonce?: Uint8Array;
  readonly isNonceCritical?: boolean;
  /** OCSPResponseStatus (RFC 6960 §4.2.1); 0 is successful. */
  readonly responseStatus?: number;
}

const HASHES = { 'SHA-1': '1.3.14.3.2.26', 'SHA-256': '2.16.840.1.101.3.4.2.1', 'SHA-384': '2.16.840.1.101.3.4.2.2' };
const STATUSES = { good: [0x80], revoked: [0xa1], unknown: [0x82] } as const;

/** DEV ONLY: an OCSP response on P-384 (RFC 6960 §4.2.1), as NVIDIA's responder gives them. */
export async function issueOcsp(request: OcspRequest): Promise<Uint8Array> {
  const { responder = request.issuer, signer = responder, responseStatus = 0 } = request;
  const data = await responseData(request, responder);
  const raw = await signRaw(signer.keys, data, 'P-384');
  const signature = derSequence(derNumber(raw.subarray(0, 48)), derNumber(raw.subarray(48)));
  const isDelegated = responder.der !== request.issuer.der;
  const basic = derSequence(
    data,
    derSequence(derObjectId('1.2.840.10045.4.3.3')),
    der(0x03, Uint8Array.of(0), signature),
    ...(isDelegated ? [der(0xa0, derSequence(responder.der))] : []),
  );
  const status = der(0x0a, Uint8Array.of(responseStatus));
  if (responseStatus !== 0) return derSequence(status);
  return derSequence(status, der(0xa0, derSequence(derObjectId('1.3.6.1.5.5.7.48.1.1'), derOctets(basic))));
}

async function responseData(request: OcspRequest, responder: DevAuthority): Promise<Uint8Array> {
  const { nowMs, fromDays = -1, untilDays = 1, isByName = false, nonce } = request;
  const id = isByName ? der(0xa1, nameOf(responder)) : der(0xa2, derOctets(await digest('SHA-1', keyOf(responder))));
  const single = derSequence(
    await certificateId(request),
    statusOf(request, nowMs),
    timeAt(nowMs + fromDays * DAY_MS),
    ...(untilDays === null ? [] : [der(0xa0, timeAt(nowMs + untilDays * DAY_MS))]),
  );
  const extensions = nonce === undefined ? [] : [der(0xa1, derSequence(nonceExtension(nonce, request)))];
  return derSequence(id, timeAt(nowMs + fromDays * DAY_MS), derSequence(single), ...extensions);
}

const nonceExtension = (nonce: Uint8Array, { isNonceCritical = false }: OcspRequest): Uint8Array =>
  derSequence(
    derObjectId(NONCE),
    ...(isNonceCritical ? [der(0x01, Uint8Array.of(0xff))] : []),
    derOctets(derOctets(nonce)),
  );

function statusOf({ status = 'good' }: OcspRequest, nowMs: number): Uint8Array {
  const [tag] = STATUSES[status];
  return status === 'revoked' ? der(tag, timeAt(nowMs - DAY_MS)) : der(tag);
}

async function certificateId({ certificate, issuer, hash = 'SHA-384' }: OcspRequest): Promise<Uint8Array> {
  return derSequence(
    derSequence(derObjectId(HASHES[hash]), der(0x05)),
    derOctets(await digest(hash, nameOf(issuer))),
    derOctets(await digest(hash, keyOf(issuer))),
    der(0x02, fromHex(certificate.serial)),
  );
}

const digest = async (hash: string, bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest(hash, Uint8Array.from(bytes)));
const parsed = ({ der: bytes }: DevAuthority): X509Certificate => new X509Certificate(Uint8Array.from(bytes));
const nameOf = (authority: DevAuthority): Uint8Array => new Uint8Array(parsed(authority).subjectName.toArrayBuffer());
const keyOf = (authority: DevAuthority): Uint8Array =>
  new Uint8Array(parsed(authority).publicKey.rawData).subarray(-POINT_BYTES);

/** GeneralizedTime, whole seconds, Zulu. */
function timeAt(ms: number): Uint8Array {
  const text = `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
  return der(0x18, new TextEncoder().encode(text));
}

/** A positive INTEGER of these big-endian bytes. */
function derNumber(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = bytes.subarray(Math.max(first, 0));
  return der(0x02, digits[0]! >= 0x80 ? concatBytes(Uint8Array.of(0), digits) : digits);
}

/** DEV ONLY: who may answer in the name of an issuer (RFC 6960 §4.2.2.2). */
export const issueOcspResponder = (
  issuer: DevAuthority,
  nowMs: number,
  changes: Partial<CertificateRequest> = {},
): Promise<DevAuthority> =>
  issueAuthority({
    commonName: 'NVIDIA OCSP Responder',
    issuer,
    isCa: false,
    nowMs,
    curve: 'P-384',
    extensions: { [EXTENDED_KEY_USAGE]: derSequence(derObjectId(OCSP_SIGNING)) },
    critical: [EXTENDED_KEY_USAGE],
    ...changes,
  });
