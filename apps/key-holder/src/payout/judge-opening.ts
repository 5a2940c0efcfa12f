import { decideMade } from '@usufruct/consent';
import { verify } from '@usufruct/crypto';
import { refuse, toBase64 } from '@usufruct/kernel';
import { requirePrice, type ReadOpening } from '@usufruct/ledger';
import {
  LIMITS,
  TAGS,
  type ContributionView,
  type DaoView,
  type DatasetView,
  type JobView,
  type Use,
} from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { mapSome, orNull } from '../reads.js';
import { activeRunner } from './active-runner.js';
import { unnamed } from './unnamed.js';

/** An opening that this holder stands by, and what the chain says it is for. */
export interface JudgedOpening {
  readonly job: JobView;
  readonly dao: DaoView;
}

/**
 * Whether this holder can stand by an opening, on its own view of the chain and by its own log: the receipt is of this
 * chain, for a job that is paid in epochs, in time, and signed by a runner that was active when it was issued; and each
 * contribution that it used was covered by the grant that it names at that time, as direct settlement asks, and is one
 * whose key this holder has given to that very runner for that job.
 *
 * A receipt that the chain has settled was judged there for its time and its runner, which may be gone by now.
 *
 * Of a use it refuses with the code and the receipt alone. Refuses `RECEIPT_INVALID` naming the check, `NOT_FOUND`,
 * `JOB_EXPIRED`, `RUNNER_NOT_REGISTERED`, `RATE_LIMITED`, what consent refuses, `BUDGET_EXHAUSTED` (nobody here counts
 * one), and `FORBIDDEN` for what this holder did not release.
 */
export async function judgeOpening(holder: Holder, read: ReadOpening): Promise<JudgedOpening> {
  const { receipt, digest, opening } = read;
  const { chain } = holder;
  await requireOurChain(holder, read);
  holder.payoutRequestsPerRunner.take(toBase64(receipt.signerPublicKey), 'openings of one runner');
  const job = await chain.job(receipt.jobId);
  if (job.payoutMode !== 'epoch') throw invalid('payoutMode');
  requirePrice(read, job);
  if (receipt.budgetSpentMicroEpsilon !== 0n) throw refuse('BUDGET_EXHAUSTED', { jobId: job.id });
  const [dao, dataset, settled] = await Promise.all([
    chain.dao(job.daoId),
    chain.dataset(job.datasetId),
    chain.settledReceipt(job.id, receipt.questionId),
  ]);
  if (settled === null) {
    requireTimely(holder, read, job);
    await activeRunner(holder, dao, receipt.signerPublicKey, receipt.issuedAtMs);
  } else if (settled !== digest) {
    throw refuse('RECEIPT_CONSUMED', { receiptDigest: settled });
  }
  const covered = mapSome(opening.uses, (use) => requireCovered(holder, { read, job, dao, dataset }, use));
  await unnamed(digest, covered);
  return { job, dao };
}

async function requireOurChain({ chain }: Holder, { receipt, opening }: ReadOpening): Promise<void> {
  const { chainId, packageId, registryId } = await chain.info();
  if (receipt.chainId !== chainId) throw invalid('chainId');
  if (receipt.packageId !== packageId) throw invalid('packageId');
  if (receipt.registryId !== registryId) throw invalid('registryId');
  // Keys are released to attested runners only, so nobody else's uses can be vouched for.
  if (receipt.signerKind !== 'tee') throw invalid('signerKind');
  const { signature, receipt: message } = opening;
  const publicKey = receipt.signerPublicKey;
  if (!(await verify({ publicKey, domainTag: TAGS.receipt, message, signature }))) throw invalid('signature');
}

/** As the chain will ask when it settles: what it would refuse needs no opening. */
function requireTimely({ clock }: Holder, { receipt: { issuedAtMs } }: ReadOpening, job: JobView): void {
  const nowMs = clock.nowMs();
  if (issuedAtMs > nowMs + LIMITS.clockSkewMs || issuedAtMs + LIMITS.clockSkewMs < job.fundedAtMs) {
    throw invalid('issuedAtMs');
  }
  if (nowMs - issuedAtMs > LIMITS.receiptFreshnessMs) throw invalid('freshness');
  if (issuedAtMs >= job.expiresAtMs) throw refuse('JOB_EXPIRED', { jobId: job.id });
}

interface Used {
  readonly read: ReadOpening;
  readonly job: JobView;
  readonly dao: DaoView;
  readonly dataset: DatasetView;
}

async function requireCovered(holder: Holder, { read, job, dao, dataset }: Used, use: Use): Promise<void> {
  const { contributionId, grantId } = use;
  const { issuedAtMs, signerPublicKey } = read.receipt;
  const [contribution, grant] = await Promise.all([
    holder.chain.contribution(contributionId),
    orNull(holder.chain.grant(grantId)),
  ]);
  const made = { contribution, dataset, grant, job, dao, atMs: issuedAtMs, clockSkewMs: LIMITS.clockSkewMs };
  const decision = decideMade(made);
  if (!decision.ok) throw decision.refusal;
  requireReleased(holder, contribution, job, signerPublicKey);
}

function requireReleased(
  { log }: Holder,
  { id: contributionId, datasetId }: ContributionView,
  { id: jobId }: JobView,
  runner: Uint8Array,
): void {
  if (log.hasReleased(contributionId, jobId, runner) || log.hasLeasedIndex(datasetId, jobId, runner)) return;
  throw refuse('FORBIDDEN', {
    contributionId,
    reason: 'this holder released no key of it, and of no index with it, to that runner for that job',
  });
}

const invalid = (check: string) => refuse('RECEIPT_INVALID', { check });
