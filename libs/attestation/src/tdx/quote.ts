import { ByteReader } from '../byte-reader.js';

/**
 * A TDX quote, versions 4 and 5 (Intel TDX DCAP Quoting Library API, appendix A.3 and A.4), little-endian:
 *
 *   header (48) ‖ v4: TD report (584) ‖ v5: body type (2), size (4), TD report (584 or 648)
 *   ‖ size (4) ‖ signature (64) ‖ attestation key (64) ‖ type 6 (2), size (4) ‖ QE report (384) ‖ its signature (64)
 *   ‖ size (2) ‖ QE authentication data ‖ type 5 (2), size (4) ‖ PCK certificate chain in PEM ‖ zeros, if any
 */
export interface QuoteHeader {
  readonly version: number;
  readonly attestationKeyType: number;
  readonly teeType: number;
  readonly qeVendorId: Uint8Array;
}

/** TD quote body (A.3.2), and of TD 1.5 (A.4.3) what follows it. Sizes in bytes. */
export interface TdReport {
  /** 16 */
  readonly teeTcbSvn: Uint8Array;
  /** 48 each */
  readonly mrSeam: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  /** 8 each */
  readonly seamAttributes: Uint8Array;
  readonly tdAttributes: Uint8Array;
  readonly xfam: Uint8Array;
  /** 48 each */
  readonly mrTd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly rtmr: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  /** 64 */
  readonly reportData: Uint8Array;
  /** 48; zeros in a report of TD 1.0, which has no service TD. */
  readonly mrServiceTd: Uint8Array;
}

/** SGX report body of the quoting enclave (Intel SDM vol. 3D, 38.15), what is judged of it. */
export interface QeReport {
  /** 4, little-endian */
  readonly miscSelect: Uint8Array;
  /** 16 */
  readonly attributes: Uint8Array;
  /** 32 */
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  /** 64 */
  readonly reportData: Uint8Array;
}

export interface TdxQuote {
  readonly header: QuoteHeader;
  readonly report: TdReport;
  /** Header and body: what the attestation key signs. */
  readonly signedBytes: Uint8Array;
  /** r ‖ s, 64. */
  readonly signature: Uint8Array;
  /** x ‖ y on P-256, 64. */
  readonly attestationKey: Uint8Array;
  /** 384: what the PCK signs. */
  readonly qeReportBytes: Uint8Array;
  readonly qeReport: QeReport;
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthenticationData: Uint8Array;
  /** PEM: PCK certificate, its CA, the root. */
  readonly pckChain: Uint8Array;
}

export const QUOTE_BYTES_AT_MOST = 32 * 1024;
export const QUOTE_VERSIONS: readonly number[] = [4, 5];
const HEADER_BYTES = 48;
const TD_REPORT_10 = { type: 2, size: 584 };
const TD_REPORT_15 = { type: 3, size: 648 };
const QE_REPORT_BYTES = 384;
const QE_AUTHENTICATION_BYTES = 32;
const QE_REPORT_CERTIFICATION = 6;
const PCK_CHAIN_CERTIFICATION = 5;

/** Null for fewer bytes than a header has. */
export function parseHeader(bytes: Uint8Array): QuoteHeader | null {
  const reader = new ByteReader(bytes);
  const [version, attestationKeyType, teeType] = [reader.u16(), reader.u16(), reader.u32()];
  reader.take(4); // v4: reserved; v5: SVNs of QE and PCE, which the certificate and the QE report give as well
  const qeVendorId = reader.take(16);
  reader.take(20); // user data of the quoting enclave
  return reader.isWhole ? { version, attestationKeyType, teeType, qeVendorId } : null;
}

/**
 * Null for anything that is not exactly one quote: every inner size must agree with the one around it, the QE's
 * authentication data has 32 bytes, the chain is there in full, and only zeros may follow.
 */
export function parseQuote(bytes: Uint8Array): TdxQuote | null {
  const header = bytes.length > QUOTE_BYTES_AT_MOST ? null : parseHeader(bytes);
  if (header === null || !QUOTE_VERSIONS.includes(header.version)) return null;
  const reader = new ByteReader(bytes);
  reader.take(HEADER_BYTES);
  const report = readReport(reader, header.version);
  const signedBytes = bytes.subarray(0, reader.offset);
  const signatureData = readSignatureData(new ByteReader(reader.take(reader.u32())));
  const isRestZero = bytes.subarray(reader.offset).every((byte) => byte === 0);
  if (report === null || signatureData === null || !reader.isWhole || !isRestZero) return null;
  return { header, report, signedBytes, ...signatureData };
}

function readReport(reader: ByteReader, version: number): TdReport | null {
  if (version === 4) return parseReport(reader.take(TD_REPORT_10.size));
  const [type, size] = [reader.u16(), reader.u32()];
  const layout = [TD_REPORT_10, TD_REPORT_15].find((known) => known.type === type);
  return layout?.size === size ? parseReport(reader.take(size)) : null;
}

function parseReport(bytes: Uint8Array): TdReport | null {
  const reader = new ByteReader(bytes);
  const register = (): Uint8Array => reader.take(48);
  const report = {
    teeTcbSvn: reader.take(16),
    mrSeam: register(),
    mrSignerSeam: register(),
    seamAttributes: reader.take(8),
    tdAttributes: reader.take(8),
    xfam: reader.take(8),
    mrTd: register(),
    mrConfigId: register(),
    mrOwner: register(),
    mrOwnerConfig: register(),
    rtmr: [register(), register(), register(), register()] as const,
    reportData: reader.take(64),
  };
  if (reader.isDone) return { ...report, mrServiceTd: new Uint8Array(48) };
  reader.take(16); // TEE_TCB_SVN2: the SVNs of a TDX module that was updated since the TD was made
  const mrServiceTd = register();
  return reader.isDone ? { ...report, mrServiceTd } : null;
}

type SignatureData = Omit<TdxQuote, 'header' | 'report' | 'signedBytes'>;

function readSignatureData(reader: ByteReader): SignatureData | null {
  const [signature, attestationKey] = [reader.take(64), reader.take(64)];
  const certification = readCertification(reader, QE_REPORT_CERTIFICATION);
  if (certification === null || !reader.isDone) return null;
  const inner = new ByteReader(certification);
  const [qeReportBytes, qeReportSignature] = [inner.take(QE_REPORT_BYTES), inner.take(64)];
  const qeAuthenticationData = inner.take(inner.u16());
  const pckChain = readCertification(inner, PCK_CHAIN_CERTIFICATION);
  if (pckChain === null || !inner.isDone || qeAuthenticationData.length !== QE_AUTHENTICATION_BYTES) return null;
  const qeReport = parseQeReport(qeReportBytes);
  return {
    signature,
    attestationKey,
    qeReportBytes,
    qeReport,
    qeReportSignature,
    qeAuthenticationData,
    pckChain: withoutTerminator(pckChain),
  };
}

/** QE certification data (A.3.9): null if it is of another type. */
function readCertification(reader: ByteReader, expected: number): Uint8Array | null {
  const [type, size] = [reader.u16(), reader.u32()];
  const data = reader.take(size);
  return type === expected && reader.isWhole ? data : null;
}

/** Intel's quoting library counts the string's terminator as part of the chain; one is taken for what it is. */
const withoutTerminator = (text: Uint8Array): Uint8Array => (text.at(-1) === 0 ? text.subarray(0, -1) : text);

function parseQeReport(bytes: Uint8Array): QeReport {
  const reader = new ByteReader(bytes);
  reader.take(16);
  const miscSelect = reader.take(4);
  reader.take(28);
  const attributes = reader.take(16);
  reader.take(32 + 32);
  const mrSigner = reader.take(32);
  reader.take(96);
  const [isvProdId, isvSvn] = [reader.u16(), reader.u16()];
  reader.take(60);
  return { miscSelect, attributes, mrSigner, isvProdId, isvSvn, reportData: reader.take(64) };
}
