import { concatBytes } from '@usufruct/kernel';
import { ByteReader } from '../byte-reader.js';

/** ATTESTATION_REPORT (SEV-SNP firmware ABI, 56860, table 23), little-endian, 1184 bytes. */
export interface SnpReport {
  readonly version: number;
  readonly guestSvn: number;
  /** 8 bytes each. */
  readonly guestPolicy: Uint8Array;
  readonly platformInfo: Uint8Array;
  /** 16 bytes each. */
  readonly familyId: Uint8Array;
  readonly imageId: Uint8Array;
  readonly vmpl: number;
  readonly signatureAlgorithm: number;
  /** SIGNING_KEY: 0 is the VCEK, 1 the VLEK. */
  readonly signingKey: number;
  /** MASK_CHIP_KEY: the chip says neither who it is nor signs with its own key. */
  readonly isChipMasked: boolean;
  /** 64 */
  readonly reportData: Uint8Array;
  /** 48 */
  readonly measurement: Uint8Array;
  /** 32 */
  readonly hostData: Uint8Array;
  /** 48 each */
  readonly idKeyDigest: Uint8Array;
  readonly authorKeyDigest: Uint8Array;
  /** TCB_VERSION, 8 bytes each. */
  readonly reportedTcb: Uint8Array;
  readonly committedTcb: Uint8Array;
  /** 64 */
  readonly chipId: Uint8Array;
  /** Everything before the signature: what is signed. */
  readonly signedBytes: Uint8Array;
  /** r ‖ s, big-endian, 48 bytes each. */
  readonly signature: Uint8Array;
}

export const SNP_REPORT_BYTES = 1184;
export const SNP_REPORT_VERSIONS: readonly number[] = [2, 3, 4, 5];
const SIGNED_BYTES = 0x2a0;
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** The version of what may be a report; null for another number of bytes. */
export const reportVersion = (bytes: Uint8Array): number | null =>
  bytes.length === SNP_REPORT_BYTES ? new ByteReader(bytes).u32() : null;

/**
 * Null for anything that is not exactly one report of a version that is known. What the version reserves must be zero:
 * it would mean something that this reader does not know, and behind the signature nothing protects it.
 */
export function parseReport(bytes: Uint8Array): SnpReport | null {
  const version = reportVersion(bytes);
  if (version === null || !SNP_REPORT_VERSIONS.includes(version)) return null;
  const reader = new ByteReader(bytes);
  const reserved: Uint8Array[] = [];
  const skip = (length: number): void => void reserved.push(reader.take(length));
  reader.take(4);
  const guestSvn = reader.u32();
  const guestPolicy = reader.take(8);
  const [familyId, imageId] = [reader.take(16), reader.take(16)];
  const [vmpl, signatureAlgorithm] = [reader.u32(), reader.u32()];
  reader.take(8); // CURRENT_TCB: at least the committed one
  const platformInfo = reader.take(8);
  const flags = reader.u32();
  skip(4);
  const [reportData, measurement, hostData] = [reader.take(64), reader.take(48), reader.take(32)];
  const [idKeyDigest, authorKeyDigest] = [reader.take(48), reader.take(48)];
  reader.take(32 + 32); // REPORT_ID, REPORT_ID_MA: names of this guest and of its migration agent
  const reportedTcb = reader.take(8);
  if (version > 2) reader.take(3); // family, model and stepping, which the certificate says as well
  skip(version > 2 ? 21 : 24);
  const chipId = reader.take(64);
  const committedTcb = reader.take(8);
  reader.take(3);
  skip(1);
  reader.take(3);
  skip(1);
  reader.take(8); // LAUNCH_TCB
  if (version > 4) reader.take(16); // LAUNCH_MIT_VECTOR, CURRENT_MIT_VECTOR
  skip(SIGNED_BYTES - reader.offset);
  const [r, s] = [reader.take(72), reader.take(72)];
  skip(SNP_REPORT_BYTES - reader.offset);
  reserved.push(r.subarray(48), s.subarray(48));
  if (!reader.isDone || !reserved.every(isZero)) return null;
  return {
    version,
    guestSvn,
    guestPolicy,
    platformInfo,
    familyId,
    imageId,
    vmpl,
    signatureAlgorithm,
    signingKey: (flags >> 2) & 7,
    isChipMasked: (flags & 2) !== 0,
    reportData,
    measurement,
    hostData,
    idKeyDigest,
    authorKeyDigest,
    reportedTcb,
    committedTcb,
    chipId,
    signedBytes: bytes.subarray(0, SIGNED_BYTES),
    signature: concatBytes(r.subarray(0, 48).toReversed(), s.subarray(0, 48).toReversed()),
  };
}
