import { concatBytes, lengthPrefixed, u32le, utf8 } from '@usufruct/kernel';

/**
 * The software TEE's quote. Its own format, so that nobody can take it for a vendor's:
 *
 *   flags (1: bit 0 = debug) ‖ measurement (48) ‖ runtime register (48) ‖ report data (64)     the body, 161 bytes
 *   ‖ signature (96: ECDSA P-384, r ‖ s) over lengthPrefixed(tag, body, chain)
 *   ‖ chain: three certificates (leaf, intermediate, root), each with its length as u32 little-endian
 */
export const SOFTWARE_QUOTE_TAG = 'usufruct/software-tee-quote/v1 DEV ONLY';
export const SOFTWARE_CHAIN_LENGTH = 3;
export const MEASUREMENT_BYTES = 48;
const REGISTER_BYTES = 48;
const REPORT_DATA_BYTES = 64;
const BODY_BYTES = 1 + MEASUREMENT_BYTES + REGISTER_BYTES + REPORT_DATA_BYTES;
const SIGNATURE_BYTES = 96;
const MAX_CERTIFICATE_BYTES = 4096;

export interface SoftwareQuoteBody {
  readonly debug: boolean;
  /** 48 bytes. */
  readonly measurement: Uint8Array;
  /** 48 bytes: what the event log replays to. */
  readonly register: Uint8Array;
  /** 64 bytes. */
  readonly reportData: Uint8Array;
}

export interface SoftwareQuote {
  readonly body: SoftwareQuoteBody;
  readonly signature: Uint8Array;
  /** DER: leaf, intermediate, root. */
  readonly chain: readonly Uint8Array[];
  readonly signedBytes: Uint8Array<ArrayBuffer>;
}

/** What the leaf key signs. */
export const softwareQuoteMessage = (body: SoftwareQuoteBody, chain: readonly Uint8Array[]): Uint8Array<ArrayBuffer> =>
  signedBytes(encodeBody(body), encodeChain(chain));

export const encodeSoftwareQuote = ({
  body,
  signature,
  chain,
}: Omit<SoftwareQuote, 'signedBytes'>): Uint8Array<ArrayBuffer> =>
  concatBytes(encodeBody(body), signature, encodeChain(chain));

/** Null for anything that is not exactly one quote: wrong sizes, unknown flags, trailing bytes. */
export function parseSoftwareQuote(bytes: Uint8Array): SoftwareQuote | null {
  const chainBytes = bytes.subarray(BODY_BYTES + SIGNATURE_BYTES);
  const chain = parseChainBytes(chainBytes);
  const flags = bytes[0];
  if (chain === null || flags === undefined || flags > 1) return null;
  const bodyBytes = bytes.subarray(0, BODY_BYTES);
  const registerAt = 1 + MEASUREMENT_BYTES;
  const reportDataAt = registerAt + REGISTER_BYTES;
  return {
    body: {
      debug: flags === 1,
      measurement: bodyBytes.subarray(1, registerAt),
      register: bodyBytes.subarray(registerAt, reportDataAt),
      reportData: bodyBytes.subarray(reportDataAt),
    },
    signature: bytes.subarray(BODY_BYTES, BODY_BYTES + SIGNATURE_BYTES),
    chain,
    signedBytes: signedBytes(bodyBytes, chainBytes),
  };
}

const signedBytes = (body: Uint8Array, chain: Uint8Array): Uint8Array<ArrayBuffer> =>
  lengthPrefixed(utf8(SOFTWARE_QUOTE_TAG), body, chain);

const encodeBody = ({ debug, measurement, register, reportData }: SoftwareQuoteBody): Uint8Array =>
  concatBytes(Uint8Array.of(debug ? 1 : 0), measurement, register, reportData);

const encodeChain = (chain: readonly Uint8Array[]): Uint8Array =>
  concatBytes(...chain.flatMap((der) => [u32le(der.length), der]));

function parseChainBytes(bytes: Uint8Array): Uint8Array[] | null {
  const chain: Uint8Array[] = [];
  let offset = 0;
  while (chain.length < SOFTWARE_CHAIN_LENGTH) {
    if (bytes.length < offset + 4) return null;
    const length = new DataView(bytes.buffer, bytes.byteOffset + offset, 4).getUint32(0, true);
    offset += 4;
    if (length > MAX_CERTIFICATE_BYTES || bytes.length < offset + length) return null;
    chain.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return offset === bytes.length ? chain : null;
}
