import { toHex } from '@usufruct/kernel';
import { ByteReader } from '../byte-reader.js';

/**
 * One device's evidence: an SPDM 1.1 exchange (DMTF DSP0274, 10.11, GET_MEASUREMENTS and MEASUREMENTS) and the
 * certificate chain of the key that signed it, in PEM. GPUs and NVSwitches both give it:
 *
 *   request: version, code 0xe0, operation (2) ‖ nonce (32) ‖ slot (1)
 *   ‖ response: version, code 0x60, 2 ‖ blocks (1) ‖ record length (3) ‖ record ‖ nonce (32) ‖ length (2) ‖ opaque data
 *   ‖ signature (96: r ‖ s) over both ‖ chain
 */
export interface SpdmExchange {
  /** 32 bytes, the one of the request. */
  readonly nonce: Uint8Array;
  /** By index, which starts at 1; lower-case hex of 48 bytes. */
  readonly measurements: ReadonlyMap<number, string>;
  /** NVIDIA's opaque data: values by their types. */
  readonly opaque: ReadonlyMap<number, Uint8Array>;
  /** Hex of 48 bytes: the firmware that the chain's leaf was derived from; '' where the device does not say. */
  readonly firmwareId: string;
  /** Request and response: what is signed. */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
  /** PEM. */
  readonly chain: Uint8Array;
}

export const GPU_EVIDENCE_BYTES_AT_MOST = 32 * 1024;
const [SPDM_11, GET_MEASUREMENTS, MEASUREMENTS] = [0x11, 0xe0, 0x60];
const ALL_SIGNED = [0x01, 0xff];
const SIGNATURE_BYTES = 96;
const MEASUREMENT_BYTES = 48;
/** DSP0274, table 47: one block is index, specification (1: DMTF), size ‖ type, size ‖ value. */
const DMTF = 1;
const FIRMWARE_ID = 20;
/** A platform-wide name of a device, which links are told by. */
const PDI_BYTES = 8;

/** Null for anything that is not exactly one signed exchange followed by what may be a chain. */
export function parseExchange(bytes: Uint8Array): SpdmExchange | null {
  if (bytes.length > GPU_EVIDENCE_BYTES_AT_MOST) return null;
  const reader = new ByteReader(bytes);
  const request = reader.take(4);
  const nonce = reader.take(32);
  const [slot] = reader.take(1);
  const response = reader.take(4);
  const [blocks] = reader.take(1);
  const record = reader.take(reader.u24());
  reader.take(32); // the responder's own nonce
  const opaque = parseOpaque(reader.take(reader.u16()));
  const signedBytes = bytes.subarray(0, reader.offset);
  const signature = reader.take(SIGNATURE_BYTES);
  if (!reader.isWhole || slot !== 0) return null;
  if (!startsWith(request, [SPDM_11, GET_MEASUREMENTS, ...ALL_SIGNED])) return null;
  if (!startsWith(response, [SPDM_11, MEASUREMENTS])) return null;
  const measurements = parseRecord(record);
  const firmware = opaque?.get(FIRMWARE_ID);
  if (measurements === null || measurements.size !== blocks || opaque === null) return null;
  if (firmware !== undefined && firmware.length !== MEASUREMENT_BYTES) return null;
  const firmwareId = firmware === undefined ? '' : toHex(firmware);
  return { nonce, measurements, opaque, firmwareId, signedBytes, signature, chain: bytes.subarray(reader.offset) };
}

const startsWith = (bytes: Uint8Array, expected: readonly number[]): boolean =>
  expected.every((byte, i) => bytes[i] === byte);

/** Null if a block is not a DMTF measurement of 48 bytes, or if an index is there twice. */
function parseRecord(record: Uint8Array): ReadonlyMap<number, string> | null {
  const measurements = new Map<number, string>();
  const reader = new ByteReader(record);
  while (!reader.isDone) {
    const [index, specification] = reader.take(2);
    const size = reader.u16();
    reader.take(1); // what was measured: it is told by the index
    const valueSize = reader.u16();
    const value = reader.take(MEASUREMENT_BYTES);
    if (!reader.isWhole || specification !== DMTF) return null;
    if (valueSize !== MEASUREMENT_BYTES || size !== MEASUREMENT_BYTES + 3) return null;
    if (index === undefined || measurements.has(index)) return null;
    measurements.set(index, toHex(value));
  }
  return measurements;
}

/** Null if the lengths do not add up or a type is there twice. */
function parseOpaque(data: Uint8Array): ReadonlyMap<number, Uint8Array> | null {
  const fields = new Map<number, Uint8Array>();
  const reader = new ByteReader(data);
  while (!reader.isDone) {
    const type = reader.u16();
    const value = reader.take(reader.u16());
    if (!reader.isWhole || fields.has(type)) return null;
    fields.set(type, value);
  }
  return fields;
}

/** Names of devices, hex of 8 bytes each; without those of links that lead nowhere. Null for another length. */
export function readPdis(bytes: Uint8Array): readonly string[] | null {
  if (bytes.length % PDI_BYTES !== 0) return null;
  const reader = new ByteReader(bytes);
  const pdis: string[] = [];
  while (!reader.isDone) pdis.push(toHex(reader.take(PDI_BYTES)));
  return pdis.filter((pdi) => pdi !== NOWHERE);
}
const NOWHERE = '00'.repeat(PDI_BYTES);
