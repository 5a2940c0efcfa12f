import type { BcsType } from '@mysten/bcs';
import { equalBytes } from '@usufruct/kernel';

/**
 * Decode BCS, or null. BCS is canonical, so bytes that do not serialise back to themselves had something else in them
 * (trailing bytes, an over-long length): one meaning must have one digest.
 */
export function decodeCanonical<T extends I, I>(type: BcsType<T, I>, bytes: Uint8Array, mostBytes: number): T | null {
  if (bytes.length > mostBytes) return null;
  try {
    const value = type.parse(bytes);
    return equalBytes(type.serialize(value).toBytes(), bytes) ? value : null;
  } catch {
    return null; // why malformed bytes are malformed is nobody's business
  }
}
