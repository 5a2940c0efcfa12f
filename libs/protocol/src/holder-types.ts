import { bcs } from '@mysten/bcs';
import type { Address, HolderSetId } from '@usufruct/kernel';
import { byteVector, bytes32 } from './bcs-types.js';

export interface HolderMember {
  /** The chain account of the holder's operator; may anchor the holder's tree heads. */
  readonly operator: Address;
  /** Ed25519: signs share receipts, runner statements, release statements and tree heads. */
  readonly signingPublicKey: Uint8Array;
  /** X25519: openings and seeds of epochs are sealed to it; shares to keys that it signs for (sealing-key.ts). */
  readonly sealingPublicKey: Uint8Array;
}
export const HolderMemberBcs = bcs.struct('HolderMember', {
  operator: bytes32<Address>(),
  signingPublicKey: byteVector(),
  sealingPublicKey: byteVector(),
});

/**
 * What `threshold` members of the set as it is sign so that it becomes the next version: members join, leave or
 * renew their keys, and every manifest that names the set stays as it is.
 */
export interface HolderRotation {
  readonly chainId: string;
  readonly holderSetId: HolderSetId;
  /** The version that this makes: one more than the one that signs. */
  readonly version: number;
  readonly members: readonly HolderMember[];
  readonly threshold: number;
}
/** Signed under the tag `holderRotation`. */
export const HolderRotationBcs = bcs.struct('HolderRotation', {
  chainId: bcs.string(),
  holderSetId: bytes32<HolderSetId>(),
  version: bcs.u32(),
  members: bcs.vector(HolderMemberBcs),
  threshold: bcs.u8(),
});
