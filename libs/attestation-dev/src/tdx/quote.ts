import { concatBytes, fromHex, u32le, utf8 } from '@usufruct/kernel';
import { pemOf, signRaw } from '../authority.js';
import type { TdxPki } from './pki.js';

/** What a TD report says; see the verifier's `TdReport`. */
export interface ReportFields {
  readonly teeTcbSvn: Uint8Array;
  readonly mrSeam: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  readonly seamAttributes: Uint8Array;
  readonly tdAttributes: Uint8Array;
  readonly xfam: Uint8Array;
  readonly mrTd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly rtmr0: Uint8Array;
  readonly rtmr1: Uint8Array;
  readonly rtmr2: Uint8Array;
  readonly rtmr3: Uint8Array;
  readonly reportData: Uint8Array;
}

export interface QeFields {
  readonly miscSelect: Uint8Array;
  readonly attributes: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
}

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const zeros = (length: number): Uint8Array => new Uint8Array(length);
const u16le = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8);

/** A TD as a good operator starts it: SEPT_VE_DISABLE alone, module TDX 1.5 at SVN 5. */
export const DEV_REPORT: ReportFields = {
  teeTcbSvn: Uint8Array.of(5, 1, 3, ...zeros(13)),
  mrSeam: filled(48, 0xa1),
  mrSignerSeam: zeros(48),
  seamAttributes: zeros(8),
  tdAttributes: fromHex('0000001000000000'),
  xfam: fromHex('e702060000000000'),
  mrTd: filled(48, 0xa2),
  mrConfigId: zeros(48),
  mrOwner: zeros(48),
  mrOwnerConfig: zeros(48),
  rtmr0: filled(48, 0xb0),
  rtmr1: filled(48, 0xb1),
  rtmr2: filled(48, 0xb2),
  rtmr3: zeros(48),
  reportData: zeros(64),
};

/** The quoting enclave of the software TEE: production attributes (INIT, 64-bit, PROVISION_KEY off), SVN 4. */
export const DEV_QE: QeFields = {
  miscSelect: new Uint8Array(4),
  attributes: Uint8Array.of(0x11, ...new Uint8Array(15)),
  mrSigner: new Uint8Array(32).fill(0xe2),
  isvProdId: 2,
  isvSvn: 4,
};

/** What the header says. */
export interface HeaderFields {
  readonly version: number;
  readonly attestationKeyType: number;
  readonly teeType: number;
  readonly qeVendorId: Uint8Array;
}

export interface QuoteRequest {
  readonly pki: TdxPki;
  /** Of the body, and of the header unless that says otherwise. */
  readonly version?: 4 | 5;
  readonly header?: Partial<HeaderFields>;
  /** Authentication data of the quoting enclave, when it is not 32 bytes. */
  readonly authentication?: Uint8Array;
  readonly report?: Partial<ReportFields>;
  readonly qe?: Partial<QeFields>;
  /** Who signs the QE report, when it is not the PCK. */
  readonly qeSigner?: CryptoKeyPair;
  /** PEM, when it is not that of the PKI. */
  readonly chain?: string;
  /** What the QE report binds in place of the attestation key. */
  readonly boundKey?: Uint8Array;
  /** Who signs header and body, when it is not the attestation key. */
  readonly signer?: CryptoKeyPair;
}

const QE_VENDOR = fromHex('939a7233f79c4ca9940a0db3957f0607');
const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/**
 * DEV ONLY: a quote in Intel's format (TDX DCAP Quoting Library API, A.3 and A.4) under generated keys. What the
 * request does not say is good.
 */
export async function signTdxQuote(request: QuoteRequest): Promise<Uint8Array<ArrayBuffer>> {
  const { pki, version = 4, report, qe, boundKey } = request;
  const attestation = await crypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', attestation.publicKey));
  const attestationKey = point.subarray(1);
  const signed = concatBytes(
    encodeHeader({ version, ...DEV_HEADER, ...request.header }),
    body(version, { ...DEV_REPORT, ...report }),
  );
  const authentication = request.authentication ?? Uint8Array.from({ length: 32 }, (_, i) => i);
  const bound = await crypto.subtle.digest('SHA-256', concatBytes(boundKey ?? attestationKey, authentication));
  const qeReport = encodeQeReport({ ...DEV_QE, ...qe }, new Uint8Array(bound));
  const chain = concatBytes(utf8(request.chain ?? pemOf(pki.pck, pki.platformCa, pki.root)), Uint8Array.of(0));
  const certification = concatBytes(
    qeReport,
    await signRaw(request.qeSigner ?? pki.pck.keys, qeReport),
    u16le(authentication.length),
    authentication,
    u16le(5),
    u32le(chain.length),
    chain,
  );
  const signatureData = concatBytes(
    await signRaw(request.signer ?? attestation, signed),
    attestationKey,
    u16le(6),
    u32le(certification.length),
    certification,
  );
  return concatBytes(signed, u32le(signatureData.length), signatureData);
}

const DEV_HEADER = { attestationKeyType: 2, teeType: 0x81, qeVendorId: QE_VENDOR };

/** Version, attestation key type 2 (ECDSA P-256), TEE type 0x81, four reserved bytes, vendor, user data. */
const encodeHeader = ({ version, attestationKeyType, teeType, qeVendorId }: HeaderFields): Uint8Array =>
  concatBytes(u16le(version), u16le(attestationKeyType), u32le(teeType), zeros(4), qeVendorId, zeros(20));

/** Version 5 wraps the report of TD 1.5 (type 3), which ends in TEE_TCB_SVN2 and MRSERVICETD. */
function body(version: number, fields: ReportFields): Uint8Array {
  const report = concatBytes(
    fields.teeTcbSvn,
    fields.mrSeam,
    fields.mrSignerSeam,
    fields.seamAttributes,
    fields.tdAttributes,
    fields.xfam,
    fields.mrTd,
    fields.mrConfigId,
    fields.mrOwner,
    fields.mrOwnerConfig,
    fields.rtmr0,
    fields.rtmr1,
    fields.rtmr2,
    fields.rtmr3,
    fields.reportData,
  );
  if (version === 4) return report;
  const later = concatBytes(report, fields.teeTcbSvn, zeros(48));
  return concatBytes(u16le(3), u32le(later.length), later);
}

/** SGX report body of the quoting enclave, 384 bytes. */
const encodeQeReport = (qe: QeFields, bound: Uint8Array): Uint8Array<ArrayBuffer> =>
  concatBytes(
    zeros(16),
    qe.miscSelect,
    zeros(28),
    qe.attributes,
    filled(32, 0xe1),
    zeros(32),
    qe.mrSigner,
    zeros(96),
    u16le(qe.isvProdId),
    u16le(qe.isvSvn),
    zeros(60),
    bound,
    zeros(32),
  );
