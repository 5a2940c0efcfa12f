import { digestOf, sign } from '@usufruct/crypto';
import {
  fromHex,
  toHex32,
  ZERO_UNITS,
  type Digest,
  type Hex32,
  type QuestionId,
  type TimestampMs,
} from '@usufruct/kernel';
import {
  answerResultBytes,
  NO_MODEL,
  resultCommitment,
  TAGS,
  UsageReceiptBcs,
  usesCommitment,
  type Answer,
  type ChainInfo,
  type JobView,
  type Use,
} from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';

export interface ReceiptFor {
  readonly info: ChainInfo;
  readonly job: JobView;
  readonly questionId: QuestionId;
  readonly answer: Answer;
  readonly uses: readonly Use[];
  readonly usesSalt: Hex32;
  readonly attributionMethod: string;
  readonly evidenceDigest: Digest;
  readonly issuedAtMs: TimestampMs;
}
export interface SignedReceipt {
  /** UsageReceiptBcs. */
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * The receipt of one answer, signed with the attested key. `codeHash` is the SHA-256 of the measurement, which is
 * longer than a digest. An answer that used nobody's data costs nothing.
 */
export async function signReceipt(
  { keys, device }: Pick<RunnerContext, 'keys' | 'device'>,
  { info, job, questionId, answer, uses, usesSalt, attributionMethod, evidenceDigest, issuedAtMs }: ReceiptFor,
): Promise<SignedReceipt> {
  const bytes = UsageReceiptBcs.serialize({
    chainId: info.chainId,
    packageId: info.packageId,
    registryId: info.registryId,
    jobId: job.id,
    questionId,
    signerKind: 'tee',
    signerPublicKey: keys.signing.publicKey,
    evidenceDigest,
    codeHash: digestOf(fromHex(await device.measurement())),
    modelHash: answer.model?.sha256 ?? NO_MODEL,
    attributionMethod,
    usesCommitment: usesCommitment(usesSalt, uses),
    resultCommitment: resultCommitment(answer.resultSalt, answerResultBytes(answer)),
    budgetSpentMicroEpsilon: 0n,
    priceUnits: uses.length === 0 ? ZERO_UNITS : job.pricePerQuestionUnits,
    issuedAtMs,
  }).toBytes();
  const signature = await sign({ secretKey: keys.signing.secretKey, domainTag: TAGS.receipt, message: bytes });
  return { bytes, signature };
}

export const randomSalt = (random: RunnerContext['random']): Hex32 => toHex32(random(32));
