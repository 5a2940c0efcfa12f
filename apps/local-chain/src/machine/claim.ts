import { asAmount, refuse } from '@usufruct/kernel';
import { isLeafOf } from '@usufruct/ledger';
import { claimEndOf, epochAccountOf, type ChainActionPayloads, type EpochView } from '@usufruct/protocol';
import { claimKey } from './collections.js';
import { countEarned } from './membership.js';
import { credit, debit } from './money.js';
import { mustFind, type Room } from './room.js';

/**
 * By anyone, for the account that the leaf names; a pause does not keep it. A leaf of zero units changes nothing,
 * whatever else is right or wrong about it.
 */
export function claimPayout(room: Room, action: ChainActionPayloads['claimPayout']): void {
  const { epochId, index, account, amountUnits, salt, proof } = action;
  const epoch = mustFind(room, 'epoch', epochId);
  requireClaimable(room, epoch);
  if (amountUnits === 0n) return;
  if (index >= epoch.leafCount) throw refuse('CLAIM_INVALID', { check: 'index' });
  const key = claimKey(epochId, index);
  if (room.draft.read('claim', key) !== undefined) throw refuse('ALREADY_CLAIMED', { epochId, index: String(index) });
  const { daoId, number } = epoch;
  const leaf = { daoId, number, index, account, amountUnits, salt };
  if (!isLeafOf(epoch, leaf, proof)) throw refuse('CLAIM_INVALID', { check: 'proof' });

  debit(room.draft, epochAccountOf(epochId), amountUnits);
  credit(room.draft, account, amountUnits);
  countEarned(room, daoId, account, amountUnits);
  room.draft.write('claim', key, { account, amountUnits });
  room.draft.write('epoch', epochId, { ...epoch, claimedUnits: asAmount(epoch.claimedUnits + amountUnits) });
  room.emit({ type: 'PayoutClaimed', epochId, daoId, index, account, amountUnits });
}

/** By anyone, once the claim term is over: what nobody claimed goes where the rules of this epoch say. */
export function sweepEpoch(room: Room, { epochId }: ChainActionPayloads['sweepEpoch']): void {
  const epoch = mustFind(room, 'epoch', epochId);
  const { daoId, state, unclaimedTo } = epoch;
  if (state !== 'open') throw refuse('EPOCH_STATE', { state });
  if (room.nowMs < claimEndOf(epoch)) throw refuse('EPOCH_STATE', { state: 'claimable' });
  const from = epochAccountOf(epochId);
  const amountUnits = room.draft.balanceOf(from);
  const account = unclaimedTo === 'treasury' ? mustFind(room, 'dao', daoId).treasury : room.chain.protocolAccount;
  debit(room.draft, from, amountUnits);
  credit(room.draft, account, amountUnits);
  room.draft.write('epoch', epochId, { ...epoch, state: 'swept' });
  room.emit({ type: 'EpochSwept', epochId, daoId, unclaimedTo, account, amountUnits });
}

function requireClaimable(room: Room, epoch: EpochView): void {
  if (epoch.state !== 'open') throw refuse('EPOCH_STATE', { state: epoch.state });
  if (room.nowMs < epoch.challengeEndsAtMs) throw refuse('EPOCH_STATE', { state: 'challenged' });
  if (room.nowMs >= claimEndOf(epoch)) throw refuse('EPOCH_STATE', { state: 'lapsed' });
}
