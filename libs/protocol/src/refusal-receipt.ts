import { bcs } from '@mysten/bcs';
import type { AmountUnits, Digest, Hex32, JobId, QuestionId, TimestampMs } from '@usufruct/kernel';
import { byteVector, bytes32, u64, u64Number } from './bcs-types.js';
import { decodeCanonical } from './decode-canonical.js';

/**
 * What a runner signs (tag `refusalReceipt`) when it refuses a question for good: which one, when, by which code, and
 * that nothing is charged for it. Why in detail it does not say: whoever relays it reads it. It goes where a receipt
 * would have gone, in `AskAnswer.receipt` and `.signature` of a question that failed.
 *
 * It takes nothing back and promises nothing: the same question may be asked again, when grants or rules are others.
 */
export interface RefusalReceipt {
  readonly chainId: string;
  readonly packageId: Hex32;
  readonly registryId: Hex32;
  readonly jobId: JobId;
  readonly questionId: QuestionId;
  /** Of the very bytes that were refused. */
  readonly sealedQuestionSha256: Digest;
  /** Ed25519, 32 bytes. */
  readonly signerPublicKey: Uint8Array;
  /** As in a usage receipt; `NO_EVIDENCE` where no key was released before it was refused. */
  readonly evidenceDigest: Digest;
  /** SHA-256 of the signer's measurement. */
  readonly codeHash: Digest;
  /** Of the catalogue. */
  readonly code: string;
  /** Zero. */
  readonly priceUnits: AmountUnits;
  readonly issuedAtMs: TimestampMs;
}

export const RefusalReceiptBcs = bcs.struct('RefusalReceipt', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  registryId: bytes32<Hex32>(),
  jobId: bytes32<JobId>(),
  questionId: bytes32<QuestionId>(),
  sealedQuestionSha256: bytes32<Digest>(),
  signerPublicKey: byteVector(),
  evidenceDigest: bytes32<Digest>(),
  codeHash: bytes32<Digest>(),
  code: bcs.string(),
  priceUnits: u64<AmountUnits>(),
  issuedAtMs: u64Number<TimestampMs>(),
});
const MOST_BYTES = 1024;

/** Null for what is none. */
export const decodeRefusal = (bytes: Uint8Array): RefusalReceipt | null =>
  decodeCanonical(RefusalReceiptBcs, bytes, MOST_BYTES);
