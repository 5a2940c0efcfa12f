import { asTimestampMs, refuse, ZERO_UNITS, type EpochId, type RunnerId } from '@usufruct/kernel';
import {
  epochAccountOf,
  epochIdOf,
  LIMITS,
  receiptPoolAccountOf,
  runnerIdOf,
  type ChainActionPayloads,
  type EpochStatement,
  type EpochView,
  livingMembers,
} from '@usufruct/protocol';
import { epochAttemptKey, type DaoRecord } from './collections.js';
import {
  invalidEpoch,
  readStatement,
  requireCountersigned,
  requireSettlerSignature,
  requireTimelyStatement,
} from './epoch-statement.js';
import { requireOperator } from './holder-set.js';
import { credit, debit } from './money.js';
import { requireOpen } from './pause.js';
import { markAt, poolOf, requireUnchallenged } from './receipt-pool.js';
import { mustFind, type Room } from './room.js';
import { requireActiveRunner, withdrawRunner } from './runner.js';

/** By anyone who has the settler's signature and those of enough holders who recomputed the epoch. */
export async function proposeEpoch(room: Room, action: ChainActionPayloads['proposeEpoch']): Promise<void> {
  const statement = readStatement(room, action.statement);
  const dao = mustFind(room, 'dao', statement.daoId);
  requireOpen(dao);
  requireNext(room, statement);
  requireTimelyStatement(room, statement);
  const settler = runnerIdOf<RunnerId>(statement.settlerPublicKey);
  requireActiveRunner(room, dao.id, settler, statement.issuedAtMs);
  await requireSettlerSignature(statement, action.statement, action.settlerSignature);
  const { holderSetId, verifierThreshold } = dao.policy;
  const holderSet = mustFind(room, 'holder-set', holderSetId);
  await requireCountersigned(holderSet, verifierThreshold, action.statement, action.signatures);

  const id = epochIdOf(action.statement);
  const { challengeMs } = dao.payoutRules;
  room.draft.write('epoch-rules', id, { holderSetId, verifierThreshold, challengeMs });
  open(room, dao, statement, { id, settler });
}

/** What the statement says about receipts and money is what the pool has. */
function requireNext(room: Room, statement: EpochStatement): void {
  const { daoId, number, attempt, fromReceipt, toReceipt } = statement;
  const pool = poolOf(room.draft, daoId);
  requireUnchallenged(room, daoId);
  if (number !== pool.epochCount + 1n) throw invalidEpoch('number');
  const last = room.draft.read('epoch-attempt', epochAttemptKey(daoId, number))?.attempt ?? 0;
  // Without a limit one rejected epoch of the last attempt that there is would leave none for its number.
  if (attempt <= last || attempt - last > LIMITS.epochAttemptsAhead) throw invalidEpoch('attempt');
  if (fromReceipt !== pool.coveredReceipts + 1n) throw invalidEpoch('fromReceipt');
  const [before, after] = [markAt(room.draft, daoId, pool.coveredReceipts), markAt(room.draft, daoId, toReceipt)];
  if (toReceipt < fromReceipt || before === undefined || after === undefined) throw invalidEpoch('toReceipt');
  if (statement.receiptChain !== after.receiptChain) throw invalidEpoch('receiptChain');
  if (statement.totalUnits !== after.pooledUnits - before.pooledUnits) throw invalidEpoch('totalUnits');
  if (statement.leafCount === 0) throw invalidEpoch('leafCount');
}

/** The money leaves the pool, for claims on this epoch and nothing else. */
function open(
  room: Room,
  dao: DaoRecord,
  statement: EpochStatement,
  { id, settler }: { readonly id: EpochId; readonly settler: RunnerId },
): void {
  const { number, attempt, fromReceipt, toReceipt, totalUnits, root, leafCount } = statement;
  const { challengeMs, claimTermMs, unclaimedTo } = dao.payoutRules;
  const epoch: EpochView = {
    id,
    daoId: dao.id,
    number,
    attempt,
    settler,
    fromReceipt,
    toReceipt,
    totalUnits,
    root,
    leafCount,
    claimedUnits: ZERO_UNITS,
    state: 'open',
    objections: [],
    proposedAtMs: room.nowMs,
    challengeEndsAtMs: asTimestampMs(room.nowMs + challengeMs),
    claimTermMs,
    unclaimedTo,
  };
  const pool = poolOf(room.draft, dao.id);
  debit(room.draft, pool.account, totalUnits);
  credit(room.draft, epochAccountOf(id), totalUnits);
  room.draft.write('receipt-pool', dao.id, { ...pool, coveredReceipts: toReceipt, epochCount: number });
  room.draft.write('epoch-attempt', epochAttemptKey(dao.id, number), { attempt });
  room.draft.write('epoch-window', dao.id, { endsAtMs: epoch.challengeEndsAtMs });
  room.draft.write('epoch', id, epoch, dao.id);
  room.emit({ type: 'EpochProposed', epoch });
}

/**
 * By the operator of a member of the holder set, once, wherever in the set a rotation puts it. Every objection gives the
 * others the whole window again.
 */
export function objectToEpoch(room: Room, { epochId, member }: ChainActionPayloads['objectToEpoch']): void {
  const epoch = mustFind(room, 'epoch', epochId);
  requireChallengeable(room, epoch);
  const { holderSetId, verifierThreshold, challengeMs } = mustFind(room, 'epoch-rules', epochId);
  const holderSet = mustFind(room, 'holder-set', holderSetId);
  const { operator } = requireOperator(room, holderSet, member);
  if (epoch.objections.includes(operator)) throw refuse('EPOCH_STATE', { state: 'objected' });
  const objections = [...epoch.objections, operator];
  const challengeEndsAtMs = asTimestampMs(room.nowMs + challengeMs);
  const objected = { ...epoch, objections, challengeEndsAtMs };
  room.draft.write('epoch', epochId, objected);
  room.draft.write('epoch-window', epoch.daoId, { endsAtMs: challengeEndsAtMs });
  room.emit({ type: 'EpochObjected', epochId, operator, challengeEndsAtMs });
  // Those who were retired stand by nothing.
  const standByIt = livingMembers(holderSet).filter((member) => !objections.includes(member.operator));
  if (standByIt.length < verifierThreshold) reject(room, objected);
}

/**
 * By anyone, within the challenge window: another statement that the settler signed for the same attempt. Whoever shows
 * two truths is no settler and no runner any more.
 */
export async function proveEquivocation(room: Room, action: ChainActionPayloads['proveEquivocation']): Promise<void> {
  const epoch = mustFind(room, 'epoch', action.epochId);
  requireChallengeable(room, epoch);
  const other = readStatement(room, action.statement);
  const equivocates =
    epochIdOf(action.statement) !== epoch.id &&
    other.daoId === epoch.daoId &&
    other.number === epoch.number &&
    other.attempt === epoch.attempt &&
    runnerIdOf<RunnerId>(other.settlerPublicKey) === epoch.settler;
  if (!equivocates) throw invalidEpoch('equivocation');
  await requireSettlerSignature(other, action.statement, action.settlerSignature);
  reject(room, epoch);
  withdrawRunner(room, epoch.daoId, epoch.settler);
}

function requireChallengeable(room: Room, { state, challengeEndsAtMs }: EpochView): void {
  if (state !== 'open') throw refuse('EPOCH_STATE', { state });
  if (room.nowMs >= challengeEndsAtMs) throw refuse('EPOCH_STATE', { state: 'unchallenged' });
}

/** The money is the pool's again, for the next attempt: as if the epoch had never been, but for the attempt. */
function reject(room: Room, epoch: EpochView): void {
  const { id, daoId, number, fromReceipt, totalUnits: amountUnits } = epoch;
  const pool = poolOf(room.draft, daoId);
  debit(room.draft, epochAccountOf(id), amountUnits);
  credit(room.draft, receiptPoolAccountOf(daoId), amountUnits);
  room.draft.write('receipt-pool', daoId, { ...pool, coveredReceipts: fromReceipt - 1n, epochCount: number - 1n });
  room.draft.write('epoch-window', daoId, { endsAtMs: asTimestampMs(0) });
  room.draft.write('epoch', id, { ...epoch, state: 'rejected' });
  room.emit({ type: 'EpochRejected', epochId: id, daoId, amountUnits });
}
