import { parseCoseSign1, type CoseSign1 } from '../cose/sign1.js';
import { asBytes, asList, asMap, parseCbor, type CborMap, type CborValue } from '../cose/cbor.js';

/**
 * An attestation document of the Nitro hypervisor (AWS Nitro Enclaves, NSM API, attestation_process.md, 2.2), read
 * completely, with the message that signs it.
 */
export interface NitroDocument extends CoseSign1 {
  /** Names instance and enclave: 'i-…-enc…'. */
  readonly moduleId: string;
  /** When the hypervisor made it. */
  readonly timestampMs: number;
  /** By index, 48 bytes each: all registers that were locked. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** DER: the certificate of the key that signed, then its issuers, the root last. */
  readonly chain: readonly Uint8Array[];
  /** What the enclave asked to have signed; null where it asked for nothing. */
  readonly publicKey: Uint8Array | null;
  readonly userData: Uint8Array | null;
  readonly nonce: Uint8Array | null;
}

const FIELDS: ReadonlySet<string | number> = new Set([
  'module_id',
  'digest',
  'timestamp',
  'pcrs',
  'certificate',
  'cabundle',
  'public_key',
  'user_data',
  'nonce',
]);
const PCR_BYTES = 48;
const PCRS_AT_MOST = 32;
const CERTIFICATE_BYTES_AT_MOST = 1024;
/** Instance, zone, region and root in practice. */
const BUNDLE_AT_MOST = 7;
const USER_BYTES_AT_MOST = 1024;
const MODULE_ID = /^[0-9A-Za-z-]{1,128}$/;

/**
 * Null for anything that is not exactly one signed document (3.2.2): a field that is missing, that is of another type or
 * size, or that nobody knows. `digest` must be SHA384, so every register has 48 bytes.
 */
export function parseNitroDocument(bytes: Uint8Array): NitroDocument | null {
  const message = parseCoseSign1(bytes);
  const fields = message && asMap(parseCbor(message.payload));
  const known = fields && readFields(fields);
  return message && known && { ...message, ...known };
}

function readFields(fields: CborMap): Omit<NitroDocument, keyof CoseSign1> | null {
  const [moduleId, timestampMs] = [fields.get('module_id'), fields.get('timestamp')];
  const pcrs = readPcrs(fields.get('pcrs'));
  const chain = readChain(fields.get('certificate'), fields.get('cabundle'));
  const [publicKey, userData, nonce] = ['public_key', 'user_data', 'nonce'].map((name) => userBytes(fields.get(name)));
  if (![...fields.keys()].every((name) => FIELDS.has(name)) || fields.get('digest') !== 'SHA384') return null;
  if (typeof moduleId !== 'string' || !MODULE_ID.test(moduleId)) return null;
  if (typeof timestampMs !== 'number' || timestampMs <= 0 || pcrs === null || chain === null) return null;
  if (publicKey === undefined || userData === undefined || nonce === undefined) return null;
  return { moduleId, timestampMs, pcrs, chain, publicKey, userData, nonce };
}

function readPcrs(value: CborValue | undefined): ReadonlyMap<number, Uint8Array> | null {
  const map = asMap(value);
  if (map === null || map.size === 0 || map.size > PCRS_AT_MOST) return null;
  const pcrs = new Map<number, Uint8Array>();
  for (const [index, content] of map) {
    const pcr = asBytes(content);
    if (typeof index !== 'number' || index < 0 || index >= PCRS_AT_MOST || pcr?.length !== PCR_BYTES) return null;
    pcrs.set(index, pcr);
  }
  return pcrs;
}

/** The bundle has the root first; a chain as this library reads it has it last. */
function readChain(certificate: CborValue | undefined, bundle: CborValue | undefined): Uint8Array[] | null {
  const issuers = asList(bundle);
  if (issuers === null || issuers.length === 0 || issuers.length > BUNDLE_AT_MOST) return null;
  const chain = [certificate, ...issuers.toReversed()].map(asBytes).filter((der) => der !== null);
  const isWhole = chain.length === issuers.length + 1;
  return isWhole && chain.every(({ length }) => length > 0 && length <= CERTIFICATE_BYTES_AT_MOST) ? chain : null;
}

/** A field that is not there is null, as it is when the hypervisor says so; undefined is malformed. */
function userBytes(value: CborValue | undefined): Uint8Array | null | undefined {
  if (value === undefined || value === null) return null;
  const bytes = asBytes(value);
  return bytes !== null && bytes.length <= USER_BYTES_AT_MOST ? bytes : undefined;
}
