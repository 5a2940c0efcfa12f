import { sign, type SigningKey } from '@usufruct/crypto';
import {
  HolderRotationBcs,
  TAGS,
  type ChainActionPayloads,
  type HolderMember,
  type HolderRotation,
} from '@usufruct/protocol';
import type { DaoWorld } from './dao-world.js';
import { bytesOf, signingKeyOf, walletOf } from './world.js';

type Rotate = { readonly kind: 'rotateHolderSet' } & ChainActionPayloads['rotateHolderSet'];

const keys = new Map<number, SigningKey>();
/** Holder `i`: the first three are those of the world's set, the others are newcomers. */
export function holderKey(i: number): SigningKey {
  const key = keys.get(i) ?? signingKeyOf(`holder ${i}`);
  keys.set(i, key);
  return key;
}
export const holderMember = (i: number, changes: Partial<HolderMember> = {}): HolderMember => ({
  operator: walletOf(`operator ${i}`).address,
  signingPublicKey: holderKey(i).publicKey,
  sealingPublicKey: bytesOf(`sealing ${i}`),
  ...changes,
});

/** The second holder leaves, the others change places, a fourth joins. */
export const ROTATED = [2, 0, 3];
export const rotationBytes = (w: DaoWorld, changes: Partial<HolderRotation> = {}): Uint8Array =>
  HolderRotationBcs.serialize({
    chainId: w.chain.info.chainId,
    holderSetId: w.holderSetId,
    version: 2,
    members: ROTATED.map((i) => holderMember(i)),
    threshold: 2,
    ...changes,
  }).toBytes();

/** Signed for each `[place in the set, holder whose key signs]`. */
export async function rotate(
  w: DaoWorld,
  changes: Partial<HolderRotation> | Uint8Array = {},
  signers: readonly (readonly [member: number, holder: number])[] = [
    [0, 0],
    [1, 1],
  ],
): Promise<Rotate> {
  const rotation = changes instanceof Uint8Array ? changes : rotationBytes(w, changes);
  const signatures = await Promise.all(
    signers.map(async ([member, holder]) => ({
      member,
      signature: await sign({
        secretKey: holderKey(holder).secretKey,
        domainTag: TAGS.holderRotation,
        message: rotation,
      }),
    })),
  );
  return { kind: 'rotateHolderSet', rotation, signatures };
}
