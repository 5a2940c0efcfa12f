import { concatBytes, utf8 } from '@usufruct/kernel';
import { asBytes, asMap, cborBytes, parseCbor } from '../cose/cbor.js';

/** RFC 8949 §3: a map of so many pairs, and null. */
const mapOf = (pairs: number): Uint8Array => Uint8Array.of(0xa0 | pairs);
const NULL = Uint8Array.of(0xf6);
const text = (value: string): Uint8Array => cborBytes(utf8(value), 'text');
const pair = (name: string, value: Uint8Array): Uint8Array => concatBytes(text(name), value);

/**
 * What the Nitro Security Module is asked for a document (AWS NSM API, `Request::Attestation`, as its CBOR has it):
 * both are signed into it; no public key is, since report data binds the keys.
 */
export const nsmAttestationRequest = (userData: Uint8Array, nonce: Uint8Array): Uint8Array<ArrayBuffer> =>
  concatBytes(
    mapOf(1),
    text('Attestation'),
    mapOf(3),
    pair('user_data', cborBytes(userData)),
    pair('nonce', cborBytes(nonce)),
    pair('public_key', NULL),
  );

/** The document of an answer (`Response::Attestation`); null for an error of the module, or for no answer of it. */
export function readNsmDocument(answer: Uint8Array): Uint8Array | null {
  const outer = asMap(parseCbor(answer));
  const inner = outer?.size === 1 ? asMap(outer.get('Attestation')) : null;
  return inner?.size === 1 ? asBytes(inner.get('document')) : null;
}
