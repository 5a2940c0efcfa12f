import { blake2b } from '@noble/hashes/blake2.js';
import { fromBase64, fromHex, toHex, type Hex32 } from '@usufruct/kernel';

/** A compiled package as it is published. */
export interface MovePackage {
  /** Base64 each. */
  readonly modules: readonly string[];
  readonly dependencies: readonly Hex32[];
}

const blake2b256 = (bytes: Uint8Array): Uint8Array => blake2b(bytes, { dkLen: 32 });

/**
 * The digest of a package as Sui computes it for upgrades and the compiler prints it: BLAKE2b-256 over the sorted
 * BLAKE2b-256 digests of the modules and the ids of the dependencies. Computed from the bytes that are published, so a
 * file that says it is another package is found out.
 */
export function packageDigest({ modules, dependencies }: MovePackage): string {
  const parts = [...modules.map((module) => blake2b256(fromBase64(module))), ...dependencies.map((id) => fromHex(id))];
  const hash = blake2b.create({ dkLen: 32 });
  for (const part of parts.sort(compareBytes)) hash.update(part);
  return toHex(hash.digest());
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return left[i]! - right[i]!;
  return 0;
}
