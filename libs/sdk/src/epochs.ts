import { isLeafOf } from '@usufruct/ledger';
import { verify } from '@usufruct/crypto';
import { checkThat, fromBase64, refuse, verdictOf, type EpochId, type RunnerId, type Verdict } from '@usufruct/kernel';
import {
  epochIdOf,
  EpochStatementBcs,
  runnerIdOf,
  TAGS,
  zCountersignRequest,
  type ChainAction,
  type EpochStatement,
  type EpochView,
  type PayoutProof,
} from '@usufruct/protocol';
import type { z } from 'zod';
import { actOnce } from './act.js';
import type { ClientContext } from './context.js';
import { executeOnce } from './transactions.js';

/**
 * Whether a proof file is a leaf of the tree whose root is on the chain. It proves that this account has this amount
 * in the epoch; not that the weights behind it are right, which only those who recomputed them can say.
 */
export function checkPayoutProof(epoch: EpochView, { epochId, leaf, proof }: PayoutProof): Verdict {
  return verdictOf([
    checkThat('EPOCH', epochId === epoch.id, 'the proof is for another epoch'),
    checkThat('DAO', leaf.daoId === epoch.daoId && leaf.number === epoch.number, 'the leaf is of another epoch'),
    checkThat('INDEX', leaf.index < epoch.leafCount, 'the tree has fewer leaves'),
    checkThat('INCLUSION', isLeafOf(epoch, leaf, proof), 'the leaf is not in the tree whose root is on the chain'),
  ]);
}

export interface Claim {
  readonly proof: PayoutProof;
  readonly epoch: EpochView;
  /** False where there was nothing to send: it was paid already, or the leaf is of zero units. */
  readonly sent: boolean;
}

/**
 * Claim a payout for the account that its leaf names; anyone may. The proof is checked against the root on this
 * client's own view of the chain before anything is sent. Claiming again changes nothing. Refuses `CLAIM_INVALID`
 * naming the failed checks, `EPOCH_STATE`.
 */
export async function claimPayout(context: ClientContext, proof: PayoutProof): Promise<Claim> {
  const { chain, journal, signer } = context;
  const { epochId, leaf } = proof;
  const epoch = await chain.epoch(epochId);
  const { ok, checks } = checkPayoutProof(epoch, proof);
  if (!ok) {
    const failed = checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
    throw refuse('CLAIM_INVALID', { checks: failed.join(', ') });
  }
  if (leaf.amountUnits === 0n || (await chain.isClaimed(epochId, leaf.index))) return { proof, epoch, sent: false };
  const key = `claim/${epochId}/${leaf.index}/${signer.address}`;
  const { index, account, amountUnits, salt } = leaf;
  const action: ChainAction = { kind: 'claimPayout', epochId, index, account, amountUnits, salt, proof: proof.proof };
  await executeOnce({ ...context, key, actions: [action] });
  const after = await chain.epoch(epochId);
  await journal.delete(key);
  return { proof, epoch: after, sent: true };
}

/** By anyone, when the claim term is over: what is left goes where the rules of that epoch say. */
export function sweepEpoch(context: ClientContext, epochId: EpochId): Promise<EpochView> {
  return actOnce({
    context,
    key: `sweep/${epochId}`,
    action: { kind: 'sweepEpoch', epochId },
    read: () => context.chain.epoch(epochId),
    isDone: ({ state }) => state === 'swept',
  });
}

/** By the operator of a member of the DAO's holder set, within the challenge window, once. */
export function objectToEpoch(context: ClientContext, epochId: EpochId, member: number): Promise<EpochView> {
  return actOnce({
    context,
    key: `object/${epochId}/${member}`,
    action: { kind: 'objectToEpoch', epochId, member },
    read: () => context.chain.epoch(epochId),
    isDone: ({ objections }) => objections.includes(context.signer.address),
  });
}

/** A statement as its settler signed it and sent it to key holders: both in base64. */
export const zSignedEpochStatement = zCountersignRequest.pick({ statement: true, settlerSignature: true });
export type SignedEpochStatement = z.output<typeof zSignedEpochStatement>;

/**
 * By anyone, within the challenge window: another statement that the settler signed for the attempt of this epoch. The
 * chain rejects the epoch and ends the settler's registration. It is checked here before anything is sent. Refuses
 * `EPOCH_INVALID` (not another statement for the same attempt by the same settler), `SIGNATURE_INVALID`, `EPOCH_STATE`.
 */
export async function proveEquivocation(
  context: ClientContext,
  epochId: EpochId,
  other: SignedEpochStatement,
): Promise<EpochView> {
  const statement = fromBase64(other.statement, 'statement');
  const settlerSignature = fromBase64(other.settlerSignature, 'settlerSignature');
  const { daoId, number, attempt, settlerPublicKey } = readStatement(statement);
  const epoch = await context.chain.epoch(epochId);
  const equivocates =
    epochIdOf(statement) !== epochId &&
    daoId === epoch.daoId &&
    number === epoch.number &&
    attempt === epoch.attempt &&
    runnerIdOf<RunnerId>(settlerPublicKey) === epoch.settler;
  if (!equivocates) throw refuse('EPOCH_INVALID', { check: 'equivocation' });
  const signed = { publicKey: settlerPublicKey, domainTag: TAGS.epochStatement, message: statement };
  if (!(await verify({ ...signed, signature: settlerSignature }))) {
    throw refuse('SIGNATURE_INVALID', { check: 'settler' });
  }
  return actOnce({
    context,
    key: `prove/${epochId}`,
    action: { kind: 'proveEquivocation', epochId, statement, settlerSignature },
    read: () => context.chain.epoch(epochId),
    isDone: ({ state }) => state === 'rejected',
  });
}

function readStatement(bytes: Uint8Array): EpochStatement {
  try {
    return EpochStatementBcs.parse(bytes);
  } catch (cause) {
    throw refuse('EPOCH_INVALID', { check: 'encoding' }, cause);
  }
}
