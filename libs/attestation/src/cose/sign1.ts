import { concatBytes, equalBytes, refuse, utf8 } from '@usufruct/kernel';
import { asBytes, asList, asMap, cborBytes, parseCbor } from './cbor.js';

/** A COSE_Sign1 message (RFC 9052 §4.2) whose only header is the algorithm ES384. */
export interface CoseSign1 {
  readonly payload: Uint8Array;
  /** r ‖ s, 48 bytes each. */
  readonly signature: Uint8Array;
  /** Sig_structure (RFC 9052 §4.4): what is signed. */
  readonly signedBytes: Uint8Array<ArrayBuffer>;
}

/** {1: -35}: alg is ES384 (RFC 9053 §2.1), and there is no other protected header. */
const ES384_HEADER = Uint8Array.of(0xa1, 0x01, 0x38, 0x22);
const SIGNATURE_BYTES = 96;
const PAYLOAD_BYTES_AT_MOST = 16_384;
/** Array of four, as both COSE_Sign1 and Sig_structure are. */
const ARRAY_OF_FOUR = 0x84;

/**
 * Null for anything but one untagged message of exactly this form: the protected header compared byte for byte, nothing
 * in the unprotected one, which no signature covers. So no other algorithm can be asked for, and none can be added.
 */
export function parseCoseSign1(bytes: Uint8Array): CoseSign1 | null {
  const message = asList(parseCbor(bytes));
  if (message?.length !== 4) return null;
  const [header, unprotected] = [asBytes(message[0]), asMap(message[1])];
  const [payload, signature] = [asBytes(message[2]), asBytes(message[3])];
  if (header === null || !equalBytes(header, ES384_HEADER) || unprotected?.size !== 0) return null;
  if (payload === null || payload.length === 0 || payload.length > PAYLOAD_BYTES_AT_MOST) return null;
  if (signature?.length !== SIGNATURE_BYTES) return null;
  return { payload, signature, signedBytes: sigStructure(payload) };
}

/** ["Signature1", protected, external_aad = h'', payload] (RFC 9052 §4.4). */
export const sigStructure = (payload: Uint8Array): Uint8Array<ArrayBuffer> =>
  concatBytes(
    Uint8Array.of(ARRAY_OF_FOUR),
    cborBytes(utf8('Signature1'), 'text'),
    cborBytes(ES384_HEADER),
    cborBytes(new Uint8Array()),
    cborBytes(payload),
  );

/** The message around a payload and its signature. Refuses `INVALID_ARGUMENT` for a signature of another length. */
export function encodeCoseSign1(payload: Uint8Array, signature: Uint8Array): Uint8Array<ArrayBuffer> {
  if (signature.length !== SIGNATURE_BYTES) {
    throw refuse('INVALID_ARGUMENT', { field: 'signature', expected: `${SIGNATURE_BYTES} bytes` });
  }
  const emptyMap = Uint8Array.of(0xa0);
  return concatBytes(
    Uint8Array.of(ARRAY_OF_FOUR),
    cborBytes(ES384_HEADER),
    emptyMap,
    cborBytes(payload),
    cborBytes(signature),
  );
}
