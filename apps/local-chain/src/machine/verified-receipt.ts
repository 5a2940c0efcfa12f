import { SIGNATURE_BYTES, verify } from '@usufruct/crypto';
import { fromBase64, refuse, type Address, type RunnerId } from '@usufruct/kernel';
import {
  LIMITS,
  runnerIdOf,
  TAGS,
  UsageReceiptBcs,
  decodeCanonical,
  type JobView,
  type PayoutMode,
  type UsageReceipt,
} from '@usufruct/protocol';
import { receiptKey, type DaoRecord } from './collections.js';
import { requireFunded } from './job.js';
import { requireOpen } from './pause.js';
import { CLOCK_SKEW_MS, mustFind, type Room } from './room.js';
import { requireActiveRunner } from './runner.js';
import { requireSigner } from './signer.js';
import { requireLivingAt } from './tombstone.js';

const RECEIPT_BYTES = 2_048;
/** Who signs under which protection. */
const SIGNER_OF = { tee: 'tee', mpc: 'mpc-set', fhe: 'fhe-host' } as const;

export interface VerifiedReceipt {
  readonly receipt: UsageReceipt;
  readonly job: JobView;
  readonly dao: DaoRecord;
  /** Receives the runner's part. */
  readonly payTo: Address;
}

/** Everything about a receipt that does not need its uses, and that its question was not paid before. */
export async function verifiedReceipt(
  room: Room,
  sent: { readonly receipt: Uint8Array; readonly signature: Uint8Array },
  mode: PayoutMode,
): Promise<VerifiedReceipt> {
  const receipt = decodeReceipt(room, sent.receipt);
  const job = mustFind(room, 'job', receipt.jobId);
  const dao = mustFind(room, 'dao', job.daoId);
  requireOpen(dao);
  const settled = room.draft.read('receipt', receiptKey(receipt.jobId, receipt.questionId));
  if (settled !== undefined) throw refuse('RECEIPT_CONSUMED', { receiptDigest: settled.receiptDigest });
  requireFunded(job);
  if (job.payoutMode !== mode) throw invalid('payoutMode');
  requireTimely(room, job, receipt);
  requireLivingAt(mustFind(room, 'dataset', job.datasetId), receipt.issuedAtMs);
  const { keys, payTo } = signerOf(room, job, receipt);
  if (!(await isSignedByAll(keys, sent))) throw invalid('signature');
  return { receipt, job, dao, payTo };
}

function decodeReceipt(room: Room, bytes: Uint8Array): UsageReceipt {
  const receipt = decodeCanonical(UsageReceiptBcs, bytes, RECEIPT_BYTES);
  if (receipt === null) throw invalid('encoding');
  const { chainId, packageId, registryId } = room.chain;
  if (receipt.chainId !== chainId) throw invalid('chainId');
  if (receipt.packageId !== packageId) throw invalid('packageId');
  if (receipt.registryId !== registryId) throw invalid('registryId');
  return receipt;
}

/**
 * Issued within the job's term; settled within the freshness term, which may end after the job's term as long as
 * nobody has closed the job: a chain that was away for minutes must not cost the contributors their pay.
 */
function requireTimely(room: Room, job: JobView, { issuedAtMs }: UsageReceipt): void {
  if (issuedAtMs > room.nowMs + CLOCK_SKEW_MS || issuedAtMs + CLOCK_SKEW_MS < job.fundedAtMs)
    throw invalid('issuedAtMs');
  if (room.nowMs - issuedAtMs > LIMITS.receiptFreshnessMs) throw invalid('freshness');
  if (issuedAtMs >= job.expiresAtMs) throw refuse('JOB_EXPIRED', { jobId: job.id });
}

/** Keys and payee of a signer of the kind that the job's protection demands. */
function signerOf(
  room: Room,
  job: JobView,
  receipt: UsageReceipt,
): { readonly keys: readonly Uint8Array[]; readonly payTo: Address } {
  if (receipt.signerKind !== SIGNER_OF[job.protection]) throw invalid('signerKind');
  if (receipt.signerKind === 'tee') {
    const { signerPublicKey, issuedAtMs } = receipt;
    const runner = requireActiveRunner(room, job.daoId, runnerIdOf<RunnerId>(signerPublicKey), issuedAtMs);
    return { keys: [signerPublicKey], payTo: runner.payTo };
  }
  const { publicKeys, payTo } = requireSigner(room, job.daoId, receipt);
  return { keys: publicKeys.map((key) => fromBase64(key)), payTo };
}

/** Signatures of 64 bytes, one after the other in the order of the keys. */
async function isSignedByAll(
  keys: readonly Uint8Array[],
  { receipt, signature }: { readonly receipt: Uint8Array; readonly signature: Uint8Array },
): Promise<boolean> {
  if (signature.length !== keys.length * SIGNATURE_BYTES) return false;
  for (const [i, publicKey] of keys.entries()) {
    const one = signature.slice(i * SIGNATURE_BYTES, (i + 1) * SIGNATURE_BYTES);
    if (!(await verify({ publicKey, domainTag: TAGS.receipt, message: receipt, signature: one }))) return false;
  }
  return true;
}

export const invalid = (check: string) => refuse('RECEIPT_INVALID', { check });
