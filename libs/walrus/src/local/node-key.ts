import { bls12_381 } from '@noble/curves/bls12-381.js';
import { fromHex, toHex } from '@usufruct/kernel';
import type { LeaseTable } from './lease-table.js';

const bls = bls12_381.longSignatures;
/** The ciphersuite of Walrus's storage nodes: keys in G1, signatures in G2 (draft-irtf-cfrg-bls-signature-05 §4.2.1). */
const SUITE = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_';

/**
 * Signs as a committee of one storage node would. The form of a certificate is real, and so is its signature; that two
 * thirds of independent nodes hold a blob, which a real one proves, it does not prove.
 */
export class NodeKey {
  private constructor(private readonly secret: Uint8Array) {}

  /** The folder's key; made at its first start. */
  static of(table: LeaseTable): NodeKey {
    const known = table.setting('nodeSecret');
    if (known !== null) return new NodeKey(fromHex(known));
    const { secretKey } = bls.keygen();
    table.set({ nodeSecret: toHex(secretKey) });
    return new NodeKey(secretKey);
  }

  /** 48 bytes, compressed. */
  get publicKey(): Uint8Array {
    return bls.getPublicKey(this.secret).toBytes();
  }

  /** 96 bytes, compressed. */
  sign(message: Uint8Array): Uint8Array {
    return bls.Signature.toBytes(bls.sign(bls.hash(message, SUITE), this.secret));
  }

  hasSigned(message: Uint8Array, signature: Uint8Array): boolean {
    try {
      return bls.verify(signature, bls.hash(message, SUITE), bls.getPublicKey(this.secret));
    } catch {
      // No point of the curve.
      return false;
    }
  }
}
