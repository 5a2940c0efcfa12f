import { open, sign, verify } from '@usufruct/crypto';
import {
  fromBase64,
  refuse,
  toBase64,
  type Address,
  type ContributionId,
  type EpochId,
  type JobId,
  type RunnerId,
} from '@usufruct/kernel';
import {
  buildEpoch,
  privateReceiptOf,
  saltsFrom,
  verifyEpoch,
  type PrivateReceipt,
  type ReadOpening,
} from '@usufruct/ledger';
import {
  decodeCanonical,
  epochIdOf,
  epochSeedInfo,
  EpochStatementBcs,
  LIMITS,
  nextReceiptChain,
  runnerIdOf,
  TAGS,
  type CountersignRequest,
  type EpochLeaf,
  type EpochStatement,
  type JobView,
} from '@usufruct/protocol';
import { seatIn, type Holder } from '../holder.js';
import { mapSome, orNull } from '../reads.js';
import { activeRunner } from './active-runner.js';
import type { Attempt } from './countersigned-epochs.js';
import type { SignedStatement } from './equivocations.js';

/**
 * Countersign an epoch that this holder has recomputed: who gets what follows from its own openings and from the owners
 * that its own view of the chain names, the salts from the settler's seed, the receipts from the chain of their hashes.
 * Of one attempt of one settler it signs one statement for good; it keeps the leaves before it signs. A second statement
 * of an attempt is kept as the proof that it is.
 *
 * An epoch that the chain has under exactly this id is recomputed and kept, too, so that a holder which was away can serve
 * its leaves; there is nothing left to sign, so the signature is null unless this holder had signed it before.
 *
 * That `receiptChain` is the pool's is compared here where the run ends with the pool's last receipt, and by the contract
 * in any case: the hashes leave no other list that ends in the same chain.
 *
 * Refuses `EPOCH_INVALID` naming the check, `EPOCH_STATE` (another number is next; this attempt is taken; rejected),
 * `NOT_FOUND` (an opening, by its receipt), `RECEIPT_INVALID`, `RUNNER_NOT_REGISTERED`, `SIGNATURE_INVALID`, `FORBIDDEN`
 * (no seat), `TOMBSTONED`, `RATE_LIMITED`, `LOG_BEHIND` (it has also lost which statements it signed).
 */
export async function countersign(
  holder: Holder,
  request: CountersignRequest,
): Promise<{ readonly signature: string | null }> {
  await holder.caughtUp.require();
  const message = fromBase64(request.statement, 'statement');
  const statement = readStatement(message);
  const settlerSignature = fromBase64(request.settlerSignature, 'settlerSignature');
  await requireOurs(holder, statement, message, settlerSignature);
  const id = epochIdOf(message);
  const isOnChain = await isKeptByChain(holder, id);
  await requireSettler(holder, statement, isOnChain);
  const of = { ...statement, settler: runnerIdOf<RunnerId>(statement.settlerPublicKey) };
  const asked = { id, statement: message, settlerSignature };
  const isTaken = reportOther(holder, of, asked);
  if (!holder.epochs.has(of.daoId, id)) {
    if (isTaken && !isOnChain) throw attemptTaken();
    if (isOnChain) requireReceiptsOf(statement, request);
    else await requireNext(holder, statement, request);
    const leaves = await recompute(holder, id, statement, request);
    await holder.epochs.insert(asked, { of, leaves, isSigned: !isOnChain, atMs: holder.clock.nowMs() });
    if (!holder.epochs.has(of.daoId, id)) {
      reportOther(holder, of, asked);
      throw attemptTaken();
    }
    const event = isOnChain ? 'epoch.kept' : 'epoch.countersigned';
    holder.logger.info(event, { daoId: of.daoId, epochId: id, leaves: leaves.length });
  }
  if (!holder.epochs.isSigned(id)) return { signature: null };
  const { secretKey } = holder.keys.signing;
  return { signature: toBase64(await sign({ secretKey, domainTag: TAGS.epochStatement, message })) };
}

const attemptTaken = () => refuse('EPOCH_STATE', { state: 'attempt taken' });

/** Whether the chain has exactly this statement. Refuses `EPOCH_STATE` for one that was rejected: nobody claims of it. */
async function isKeptByChain({ chain }: Holder, id: EpochId): Promise<boolean> {
  const epoch = await orNull(chain.epoch(id));
  if (epoch?.state === 'rejected') throw refuse('EPOCH_STATE', { state: 'rejected' });
  return epoch !== null;
}

/** Keep what proves that a settler signed two statements of one attempt. Whether this holder has another one. */
function reportOther({ epochs, equivocations, clock, logger }: Holder, of: Attempt, asked: SignedStatement): boolean {
  const other = epochs.otherOf(of, asked.id);
  if (other === null) return false;
  if (equivocations.insert(of, other, asked, clock.nowMs())) {
    const { daoId, settler } = of;
    logger.error('epoch.equivocation', { daoId, settler, epochId: other, statements: [other, asked.id].join(' ') });
  }
  return true;
}

function readStatement(bytes: Uint8Array): EpochStatement {
  const statement = decodeCanonical(EpochStatementBcs, bytes, LIMITS.epochStatementBytes);
  if (statement === null) throw invalid('encoding');
  return statement;
}

/** Of this chain, and signed by the settler that it names. */
async function requireOurs(
  holder: Holder,
  { chainId, packageId, registryId, settlerPublicKey: publicKey }: EpochStatement,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<void> {
  const info = await holder.chain.info();
  if (chainId !== info.chainId) throw invalid('chainId');
  if (packageId !== info.packageId) throw invalid('packageId');
  if (registryId !== info.registryId) throw invalid('registryId');
  if (!(await verify({ publicKey, domainTag: TAGS.epochStatement, message, signature }))) {
    throw refuse('SIGNATURE_INVALID', { check: 'settler' });
  }
}

/**
 * By an active runner of the DAO, fresh, and to a holder that has a seat there. The chain has judged the settler and the
 * time of what it has.
 */
async function requireSettler(holder: Holder, statement: EpochStatement, isOnChain: boolean): Promise<void> {
  const { daoId, settlerPublicKey: publicKey, issuedAtMs } = statement;
  const dao = await holder.chain.dao(daoId);
  if (!isOnChain) await activeRunner(holder, dao, publicKey, issuedAtMs);
  holder.payoutRequestsPerRunner.take(toBase64(publicKey), 'requests of one runner');
  const nowMs = holder.clock.nowMs();
  if (!isOnChain && issuedAtMs > nowMs + LIMITS.clockSkewMs) throw invalid('issuedAtMs');
  if (!isOnChain && nowMs - issuedAtMs > LIMITS.receiptFreshnessMs) throw invalid('freshness');
  await seatIn(holder, dao.policy.holderSetId);
}

/** What the statement says about receipts is what the pool has, and the receipts named are the ones it says. */
async function requireNext({ chain }: Holder, statement: EpochStatement, request: CountersignRequest): Promise<void> {
  const { daoId, number, attempt, fromReceipt, toReceipt, receiptChain } = statement;
  const pool = await chain.receiptPool(daoId);
  if (number !== pool.epochCount + 1n) throw refuse('EPOCH_STATE', { state: 'another number is next' });
  if (attempt < 1) throw invalid('attempt');
  if (fromReceipt !== pool.coveredReceipts + 1n) throw invalid('fromReceipt');
  if (toReceipt < fromReceipt || toReceipt > pool.receiptCount) throw invalid('toReceipt');
  requireReceiptsOf(statement, request);
  if (toReceipt === pool.receiptCount && receiptChain !== pool.receiptChain) throw invalid('receiptChain');
}

function requireReceiptsOf(
  { fromReceipt, toReceipt, receiptChain }: EpochStatement,
  { chainBefore, receiptDigests }: CountersignRequest,
): void {
  if (BigInt(receiptDigests.length) !== toReceipt - fromReceipt + 1n) throw invalid('receiptDigests');
  if (receiptDigests.reduce(nextReceiptChain, chainBefore) !== receiptChain) throw invalid('receiptChain');
}

/** The leaves, if they are what the statement commits to. */
async function recompute(
  holder: Holder,
  id: EpochId,
  statement: EpochStatement,
  request: CountersignRequest,
): Promise<readonly EpochLeaf[]> {
  const seed = await openSeed(holder, id, request);
  const receipts = await receiptsOf(holder, statement, request);
  const { daoId, number } = statement;
  const built = buildEpoch({ daoId, number, receipts, random: saltsFrom(seed) });
  const { ok, checks } = verifyEpoch(statement, built);
  if (ok) return built.leaves;
  const failed = checks.flatMap(({ name, status }) => (status === 'failed' ? [name] : []));
  throw refuse('EPOCH_INVALID', { checks: failed.join(', ') });
}

async function openSeed({ keys }: Holder, id: EpochId, { sealedSeed }: CountersignRequest): Promise<Uint8Array> {
  const seed = await open({
    privateKey: keys.sealing.privateKey,
    info: epochSeedInfo(id),
    aad: new Uint8Array(),
    sealed: fromBase64(sealedSeed, 'sealedSeed'),
  }).catch((cause: unknown) => {
    throw refuse('EPOCH_INVALID', { check: 'sealedSeed' }, cause);
  });
  if (seed.length !== 32) throw invalid('sealedSeed');
  return seed;
}

async function receiptsOf(
  holder: Holder,
  { daoId }: EpochStatement,
  { receiptDigests }: CountersignRequest,
): Promise<PrivateReceipt[]> {
  const { chain } = holder;
  const [jobs, owners] = [new Map<JobId, JobView>(), new Map<ContributionId, Address>()];
  const openings = await mapSome(receiptDigests, async (digest): Promise<ReadOpening> => {
    const read = await holder.openings.find(daoId, digest);
    if (read === null) throw refuse('NOT_FOUND', { object: 'opening', receiptDigest: digest });
    const { jobId, questionId } = read.receipt;
    if ((await chain.settledReceipt(jobId, questionId)) !== digest) throw invalid('settled');
    return read;
  });
  const jobIds = [...new Set(openings.map(({ receipt }) => receipt.jobId))];
  const used = [...new Set(openings.flatMap(({ opening }) => opening.uses.map((use) => use.contributionId)))];
  await mapSome(jobIds, async (jobId) => jobs.set(jobId, await chain.job(jobId)));
  await mapSome(used, async (id) => owners.set(id, (await chain.contribution(id)).owner));
  return openings.map((read) => {
    const job = jobs.get(read.receipt.jobId);
    if (job?.daoId !== daoId || job.payoutMode !== 'epoch') throw invalid('job');
    return privateReceiptOf(read, job, owners);
  });
}

const invalid = (check: string) => refuse('EPOCH_INVALID', { check });
