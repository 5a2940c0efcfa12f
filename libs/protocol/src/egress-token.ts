import { bcs } from '@mysten/bcs';
import { fromBase64, type DaoId, type Digest, type Hex32, type HolderSetId, type JobId } from '@usufruct/kernel';
import { z } from 'zod';
import { zEvidenceBundle } from './attestation-types.js';
import { bytes32 } from './bcs-types.js';
import { isLiving, livingMembers, type HolderSetView } from './chain-views.js';
import { COMPUTATION_OUTPUTS, type OutputKind } from './codes.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { OutputKindBcs } from './log-leaf.js';
import { zBase64, zHex32 } from './wire.js';

/**
 * Leave for one output of one job. A checkpoint can be copied, and a host can start the job again from it with other
 * noise: each output that leaves spends privacy budget, so one may leave and no second one. The same bytes at every
 * holder, and no time in them: asked again, a holder gives the same signature.
 */
export interface EgressToken {
  readonly chainId: string;
  readonly packageId: Hex32;
  readonly daoId: DaoId;
  readonly holderSetId: HolderSetId;
  readonly jobId: JobId;
  readonly outputKind: OutputKind;
  /** Commits to all that leaves, in whatever way the job's code says: the holders see only the digest. */
  readonly outputDigest: Digest;
}
export const EgressTokenBcs = bcs.struct('EgressToken', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  daoId: bytes32<DaoId>(),
  holderSetId: bytes32<HolderSetId>(),
  jobId: bytes32<JobId>(),
  outputKind: OutputKindBcs,
  outputDigest: bytes32<Digest>(),
});
export const egressTokenDigest = (token: EgressToken): Digest =>
  taggedDigest(TAGS.egressToken, EgressTokenBcs.serialize(token).toBytes());

export const zEgressRequest = z.object({
  jobId: zHex32<JobId>(),
  outputKind: z.enum([COMPUTATION_OUTPUTS.train, COMPUTATION_OUTPUTS.stats]),
  outputDigest: zHex32<Digest>(),
  challenge: zBase64(32),
  bundle: zEvidenceBundle,
  signature: zBase64(64),
});
export type EgressRequest = z.output<typeof zEgressRequest>;
/** Of the holder over EgressTokenBcs (tag `egressToken`). */
export const zEgressAnswer = z.object({ signature: zBase64(64) });
export type EgressAnswer = z.output<typeof zEgressAnswer>;

/**
 * How many living members must sign. Any two groups of so many have a threshold of members in common, so at least one
 * that does not lie, and that one signs for one output only: were all but one of a threshold lying, there is no second
 * output. In small sets that is everybody.
 */
export const egressQuorum = (set: Pick<HolderSetView, 'members' | 'threshold' | 'tombstonedKeys'>): number =>
  Math.max(set.threshold, Math.ceil((livingMembers(set as HolderSetView).length + set.threshold) / 2));

export interface EgressSignature {
  /** Position in the set, from 0. */
  readonly member: number;
  /** Base64. */
  readonly signature: string;
}
/** `verify` of `@usufruct/crypto`. */
type VerifySignature = (signed: {
  readonly publicKey: Uint8Array;
  readonly domainTag: string;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}) => Promise<boolean>;

/**
 * Whether enough members of the set let this output out. Each counts once, whatever is given; malformed and foreign
 * signatures count for nothing. It says nothing about the output itself, nor that the set is the DAO's: that is on the
 * chain.
 */
export async function isLetOut(
  token: EgressToken,
  signatures: readonly EgressSignature[],
  set: HolderSetView,
  verify: VerifySignature,
): Promise<boolean> {
  if (token.holderSetId !== set.id) return false;
  const message = EgressTokenBcs.serialize(token).toBytes();
  const signers = new Set<string>();
  for (const { member, signature } of signatures) {
    const holder = set.members[member];
    if (holder === undefined || !isLiving(set, holder) || signers.has(holder.signingPublicKey)) continue;
    const signed = { publicKey: fromBase64(holder.signingPublicKey), domainTag: TAGS.egressToken, message };
    const isSigned = await verify({ ...signed, signature: fromBase64(signature) }).catch(() => false);
    if (isSigned) signers.add(holder.signingPublicKey);
  }
  return signers.size >= egressQuorum(set);
}
