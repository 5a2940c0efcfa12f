import { open, sign, verify } from '@usufruct/crypto';
import {
  equalBytes,
  fromBase64,
  refuse,
  toBase64,
  type Address,
  type ContributionId,
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
import { mapSome } from '../reads.js';
import { activeRunner } from './active-runner.js';

/**
 * Countersign an epoch that this holder has recomputed: who gets what follows from its own openings and from the owners
 * that its own view of the chain names, the salts from the settler's seed, the receipts from the chain of their hashes.
 * Of one attempt of one settler it signs one statement for good; it keeps the leaves before it signs.
 *
 * That `receiptChain` is the pool's is compared here where the run ends with the pool's last receipt, and by the contract
 * in any case: the hashes leave no other list that ends in the same chain.
 *
 * Refuses `EPOCH_INVALID` naming the check, `EPOCH_STATE` (another number is next; this attempt is taken), `NOT_FOUND` (an opening, by its receipt), `RECEIPT_INVALID`, `RUNNER_NOT_REGISTERED`, `SIGNATURE_INVALID`,
 * `FORBIDDEN` (no seat), `TOMBSTONED`, `RATE_LIMITED`.
 */
export async function countersign(holder: Holder, request: CountersignRequest): Promise<{ signature: string }> {
  const bytes = fromBase64(request.statement, 'statement');
  const statement = readStatement(bytes);
  await requireSettler(holder, statement, bytes, request);
  const id = epochIdOf(bytes);
  const of = { ...statement, settler: runnerIdOf<RunnerId>(statement.settlerPublicKey) };
  const signed = holder.epochs.signedFor(of);
  if (signed !== null && signed !== id) throw refuse('EPOCH_STATE', { state: 'attempt taken' });
  if (signed === null) {
    await requireNext(holder, statement, request);
    const leaves = await recompute(holder, statement, request);
    const isOurs = await holder.epochs.insert(id, of, leaves, holder.clock.nowMs());
    if (!isOurs) throw refuse('EPOCH_STATE', { state: 'attempt taken' });
    holder.logger.info('epoch.countersigned', { daoId: statement.daoId, epochId: id, leaves: leaves.length });
  }
  const { secretKey } = holder.keys.signing;
  return { signature: toBase64(await sign({ secretKey, domainTag: TAGS.epochStatement, message: bytes })) };
}

function readStatement(bytes: Uint8Array): EpochStatement {
  try {
    const statement = EpochStatementBcs.parse(bytes);
    if (equalBytes(EpochStatementBcs.serialize(statement).toBytes(), bytes)) return statement;
  } catch {
    // one refusal for every way of not being a statement
  }
  throw invalid('encoding');
}

/** Of this chain, by an active runner of the DAO, fresh, and to a holder that has a seat there. */
async function requireSettler(
  holder: Holder,
  statement: EpochStatement,
  message: Uint8Array,
  request: CountersignRequest,
): Promise<void> {
  const { chainId, packageId, registryId, daoId, settlerPublicKey: publicKey, issuedAtMs } = statement;
  const info = await holder.chain.info();
  if (chainId !== info.chainId) throw invalid('chainId');
  if (packageId !== info.packageId) throw invalid('packageId');
  if (registryId !== info.registryId) throw invalid('registryId');
  const signature = fromBase64(request.settlerSignature, 'settlerSignature');
  if (!(await verify({ publicKey, domainTag: TAGS.epochStatement, message, signature }))) {
    throw refuse('SIGNATURE_INVALID', { check: 'settler' });
  }
  const dao = await holder.chain.dao(daoId);
  const runner = await activeRunner(holder, dao, publicKey, issuedAtMs);
  holder.payoutRequestsPerRunner.take(runner.signingPublicKey, 'requests of one runner');
  const nowMs = holder.clock.nowMs();
  if (issuedAtMs > nowMs + LIMITS.clockSkewMs) throw invalid('issuedAtMs');
  if (nowMs - issuedAtMs > LIMITS.receiptFreshnessMs) throw invalid('freshness');
  await seatIn(holder, dao.policy.holderSetId);
}

/** What the statement says about receipts is what the pool has, and the receipts named are the ones it says. */
async function requireNext(
  { chain }: Holder,
  statement: EpochStatement,
  { chainBefore, receiptDigests }: CountersignRequest,
): Promise<void> {
  const { daoId, number, attempt, fromReceipt, toReceipt, receiptChain } = statement;
  const pool = await chain.receiptPool(daoId);
  if (number !== pool.epochCount + 1n) throw refuse('EPOCH_STATE', { state: 'another number is next' });
  if (attempt < 1) throw invalid('attempt');
  if (fromReceipt !== pool.coveredReceipts + 1n) throw invalid('fromReceipt');
  if (toReceipt < fromReceipt || toReceipt > pool.receiptCount) throw invalid('toReceipt');
  if (BigInt(receiptDigests.length) !== toReceipt - fromReceipt + 1n) throw invalid('receiptDigests');
  const isOfPool = toReceipt !== pool.receiptCount || receiptChain === pool.receiptChain;
  if (!isOfPool || receiptDigests.reduce(nextReceiptChain, chainBefore) !== receiptChain) throw invalid('receiptChain');
}

/** The leaves, if they are what the statement commits to. */
async function recompute(
  holder: Holder,
  statement: EpochStatement,
  request: CountersignRequest,
): Promise<readonly EpochLeaf[]> {
  const seed = await openSeed(holder, request);
  const receipts = await receiptsOf(holder, statement, request);
  const { daoId, number } = statement;
  const { leaves } = buildEpoch({ daoId, number, receipts, random: saltsFrom(seed) });
  const { ok, checks } = verifyEpoch(statement, leaves, receipts);
  if (ok) return leaves;
  const failed = checks.flatMap(({ name, status }) => (status === 'failed' ? [name] : []));
  throw refuse('EPOCH_INVALID', { checks: failed.join(', ') });
}

async function openSeed({ keys }: Holder, { statement, sealedSeed }: CountersignRequest): Promise<Uint8Array> {
  const seed = await open({
    privateKey: keys.sealing.privateKey,
    info: epochSeedInfo(epochIdOf(fromBase64(statement))),
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
