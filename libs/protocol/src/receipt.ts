import { bcs } from '@mysten/bcs';
import type {
  AmountUnits,
  ContributionId,
  Digest,
  GrantId,
  Hex32,
  JobId,
  QuestionId,
  TimestampMs,
  Weight,
} from '@usufruct/kernel';
import { byteVector, bytes32, u64, u64Number } from './bcs-types.js';
import type { SignerKind } from './codes.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { fromHex } from '@usufruct/kernel';

/** One contribution that an answer used, and how much. */
export interface Use {
  readonly contributionId: ContributionId;
  readonly grantId: GrantId;
  readonly weight: Weight;
}

/**
 * What a runner signs for each question (or job). It commits to who was used and to the result with salted hashes, so
 * the receipt itself can be public. It proves what the signer said; that the signer was attested is proven by the
 * runner's registration for `evidenceDigest`.
 */
export interface UsageReceipt {
  readonly chainId: string;
  readonly packageId: Hex32;
  readonly registryId: Hex32;
  readonly jobId: JobId;
  readonly questionId: QuestionId;
  readonly signerKind: SignerKind;
  /** Ed25519 public key, 32 bytes; of an `mpc-set`, whose three keys sign one after the other, the set's id. */
  readonly signerPublicKey: Uint8Array;
  /** Of the bundle for which holders released keys; `NO_EVIDENCE` where none of the job's keys came from them. */
  readonly evidenceDigest: Digest;
  /** SHA-256 of the signer's measurement. */
  readonly codeHash: Digest;
  /** `NO_MODEL` where no model wrote the answer. */
  readonly modelHash: Digest;
  /** How weights were made (`ATTRIBUTION_METHODS`). */
  readonly attributionMethod: string;
  readonly usesCommitment: Digest;
  readonly resultCommitment: Digest;
  readonly budgetSpentMicroEpsilon: bigint;
  readonly priceUnits: AmountUnits;
  readonly issuedAtMs: TimestampMs;
}

/** All zero: no model had a part in the answer. */
export const NO_MODEL = `0x${'0'.repeat(64)}` as Digest;

export const SignerKindBcs = bcs
  .enum('SignerKind', { tee: null, 'mpc-set': null, 'fhe-host': null })
  .transform<SignerKind, SignerKind>({
    input: (kind) => ({ [kind]: true }) as { tee: true },
    output: (value) => value.$kind,
  });

export const UsageReceiptBcs = bcs.struct('UsageReceipt', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  registryId: bytes32<Hex32>(),
  jobId: bytes32<JobId>(),
  questionId: bytes32<QuestionId>(),
  signerKind: SignerKindBcs,
  signerPublicKey: byteVector(),
  evidenceDigest: bytes32<Digest>(),
  codeHash: bytes32<Digest>(),
  modelHash: bytes32<Digest>(),
  attributionMethod: bcs.string(),
  usesCommitment: bytes32<Digest>(),
  resultCommitment: bytes32<Digest>(),
  budgetSpentMicroEpsilon: u64(),
  priceUnits: u64<AmountUnits>(),
  issuedAtMs: u64Number<TimestampMs>(),
});

export const UseBcs = bcs.struct('Use', {
  contributionId: bytes32<ContributionId>(),
  grantId: bytes32<GrantId>(),
  weight: u64<Weight>(),
});
export const UsesBcs = bcs.vector(UseBcs);

/** Uses are committed in ascending order of contribution id, each contribution once. */
export const usesCommitment = (salt: Hex32, uses: readonly Use[]): Digest =>
  taggedDigest(TAGS.usesCommitment, fromHex(salt), UsesBcs.serialize([...uses]).toBytes());
export const resultCommitment = (salt: Hex32, result: Uint8Array): Digest =>
  taggedDigest(TAGS.resultCommitment, fromHex(salt), result);
export const receiptDigest = (receiptBytes: Uint8Array): Digest => taggedDigest(TAGS.receipt, receiptBytes);
