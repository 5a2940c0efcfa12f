import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { equalBytes, fromHex } from '@usufruct/kernel';

/** p = 2²⁵⁵ - 19, big-endian; a y coordinate at or above it has a second encoding. */
const FIELD_PRIME = (1n << 255n) - 19n;
const SMALL_ORDER_POINTS: readonly Uint8Array[] = ED25519_TORSION_SUBGROUP.map((point) => fromHex(point));

/**
 * What every engine must refuse before the equation is looked at: wrong lengths, S ≥ ℓ (malleable), and a public key
 * or R that is of small order or not in its canonical encoding. Implementations disagree on exactly these.
 */
export function isAcceptableEncoding(publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const s = littleEndian(signature.subarray(32));
  return s < ed25519.Point.Fn.ORDER && isAcceptablePoint(publicKey) && isAcceptablePoint(signature.subarray(0, 32));
}

function isAcceptablePoint(encoded: Uint8Array): boolean {
  const y = littleEndian(encoded) & ((1n << 255n) - 1n);
  if (y >= FIELD_PRIME) return false;
  // y = 1 or -1 means x = 0, which has one sign only; both signs of them are of small order and end here.
  const unsigned = withoutSign(encoded);
  return !SMALL_ORDER_POINTS.some((point) => equalBytes(withoutSign(point), unsigned));
}

function withoutSign(encoded: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(encoded);
  copy[31] = copy[31]! & 0x7f;
  return copy;
}

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
