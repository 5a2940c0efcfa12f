import { digestOf, sign } from '@usufruct/crypto';
import { fromHex, toBase64, ZERO_UNITS, type Digest, type ErrorCode, type QuestionId } from '@usufruct/kernel';
import { RefusalReceiptBcs, TAGS, type JobView } from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';

export interface RefusalFor {
  readonly job: JobView;
  readonly questionId: QuestionId;
  readonly sealedQuestionSha256: Digest;
  readonly evidenceDigest: Digest;
  readonly code: ErrorCode;
}
/** Base64: `RefusalReceiptBcs`, and the signature of the attested key. */
export interface SignedRefusal {
  readonly receipt: string;
  readonly signature: string;
}

/** What the asker can show anybody: this code refused this question, at this time, for nothing. */
export async function signRefusal(
  { chain, clock, keys, device }: Pick<RunnerContext, 'chain' | 'clock' | 'keys' | 'device'>,
  { job, ...about }: RefusalFor,
): Promise<SignedRefusal> {
  const { chainId, packageId, registryId } = await chain.info();
  const bytes = RefusalReceiptBcs.serialize({
    chainId,
    packageId,
    registryId,
    jobId: job.id,
    ...about,
    signerPublicKey: keys.signing.publicKey,
    codeHash: digestOf(fromHex(await device.measurement())),
    priceUnits: ZERO_UNITS,
    issuedAtMs: clock.nowMs(),
  }).toBytes();
  const { secretKey } = keys.signing;
  const signature = await sign({ secretKey, domainTag: TAGS.refusalReceipt, message: bytes });
  return { receipt: toBase64(bytes), signature: toBase64(signature) };
}
