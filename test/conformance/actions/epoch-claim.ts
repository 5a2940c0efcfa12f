import { asAmount, asTimestampMs } from '@usufruct/kernel';
import { EpochTree } from '@usufruct/ledger';
import { epochAccountOf, type EpochLeaf, type EpochView } from '@usufruct/protocol';
import type { Actor, Play } from '../play/actor.js';
import { OWNERS, STRANGER } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { knownLeaves } from './epoch-leaves.js';

/** Claims of an epoch whose leaves are of more than there is: whoever comes last. */
const EXCESS = 'more than there is';

export const claimPayout: Actor = {
  kind: 'claimPayout',
  needs: (twist) => ({ mode: 'epoch', excess: twist === EXCESS }),
  weight: 4,
  twists: ['early', 'late', 'again', 'no leaf', 'more', 'other account', 'proof', EXCESS, 'rejected', 'swept'],
  prepare: ['registerRunner', 'mint', 'fundJob', 'settlePrivately', 'proposeEpoch'],
  before: {
    again: ['claimPayout'],
    [EXCESS]: ['claimPayout', 'claimPayout', 'claimPayout', 'claimPayout'],
    rejected: ['objectToEpoch', 'objectToEpoch', 'objectToEpoch'],
    swept: ['sweepEpoch'],
  },
  meets: { [EXCESS]: 'INSUFFICIENT_BALANCE' },
  attempt(play, twist) {
    const { ledger, random } = play;
    const epochs = ledger.all('epoch').filter((epoch) => claimTime(play, epoch, twist) !== null);
    if (epochs.length === 0) return null;
    const epoch = random.pick(epochs);
    const leaves = knownLeaves(play).get(epoch.id) ?? [];
    const isClaimed = ({ index }: EpochLeaf): boolean => ledger.read('claim', `${epoch.id}/${index}`) !== undefined;
    const least = twist === EXCESS ? ledger.balanceOf(epochAccountOf(epoch.id)) : 0n;
    const wanted = (leaf: EpochLeaf): boolean =>
      isClaimed(leaf) === (twist === 'again') && (twist === null || leaf.amountUnits > least);
    const chosen = leaves.filter(wanted);
    if (chosen.length === 0) return null;
    const leaf = random.pick(chosen);
    ledger.nowMs = asTimestampMs(Math.max(ledger.nowMs, claimTime(play, epoch, twist)!));
    const proof = new EpochTree(leaves).proofOf(leaf.index);
    const index = twist === 'no leaf' ? epoch.leafCount : leaf.index;
    const account = twist === 'other account' ? OWNERS.find((one) => one !== leaf.account)! : leaf.account;
    const amountUnits = asAmount(twist === 'more' ? leaf.amountUnits + 1n : leaf.amountUnits);
    const shown = twist === 'proof' ? proof.slice(1) : proof;
    const call = move.call(
      'stage_jobs::claim_payout',
      ...[STRANGER, epoch.id, epoch.daoId].map(move.address),
      move.number(index),
      move.address(account),
      move.number(amountUnits),
      move.address(leaf.salt),
      move.list(shown.map(move.address)),
    );
    const claim = { epochId: epoch.id, index, account, amountUnits, salt: leaf.salt, proof: shown };
    return { sender: STRANGER, action: { kind: 'claimPayout', ...claim }, call };
  },
  refusals: {
    'EPOCH_STATE challenged': ['epoch::ENotClaimable'],
    'EPOCH_STATE lapsed': ['epoch::ENotClaimable'],
    'EPOCH_STATE rejected': ['epoch::ENotClaimable'],
    'EPOCH_STATE swept': ['epoch::ENotClaimable'],
    'CLAIM_INVALID index': ['epoch::ENoLeaf'],
    'CLAIM_INVALID proof': ['epoch::EProof'],
    ALREADY_CLAIMED: ['epoch::EClaimed'],
    // The leaves promise more than there is: whoever comes last gets nothing.
    INSUFFICIENT_BALANCE: ['custody::EVaultShort'],
  },
};

/** The moment for the claim that the twist says, from now on; null where there is none. */
function claimTime({ ledger }: Play, epoch: EpochView, twist: string | null): number | null {
  const { state, challengeEndsAtMs, claimTermMs } = epoch;
  const endMs = challengeEndsAtMs + claimTermMs;
  if (twist === 'rejected' || twist === 'swept') return state === twist ? ledger.nowMs : null;
  if (state !== 'open') return null;
  if (twist === 'early') return ledger.nowMs < challengeEndsAtMs ? challengeEndsAtMs - 1 : null;
  if (twist === 'late') return Math.max(ledger.nowMs, endMs);
  return ledger.nowMs < endMs ? Math.max(ledger.nowMs, challengeEndsAtMs) : null;
}

export const sweepEpoch: Actor = {
  kind: 'sweepEpoch',
  needs: () => ({ mode: 'epoch' }),
  weight: 0.7,
  twists: ['early', 'again', 'rejected'],
  prepare: ['registerRunner', 'mint', 'fundJob', 'settlePrivately', 'proposeEpoch'],
  before: { again: ['sweepEpoch'], rejected: ['objectToEpoch', 'objectToEpoch', 'objectToEpoch'] },
  attempt(play, twist) {
    const { ledger, random } = play;
    const wanted = twist === 'again' ? 'swept' : twist === 'rejected' ? 'rejected' : 'open';
    const epochs = ledger.all('epoch').filter(({ state }) => state === wanted);
    if (epochs.length === 0) return null;
    const { id: epochId, daoId, challengeEndsAtMs, claimTermMs } = random.pick(epochs);
    const endMs = challengeEndsAtMs + claimTermMs - (twist === 'early' ? 1 : 0);
    if (twist === 'early' && ledger.nowMs > endMs) return null;
    ledger.nowMs = asTimestampMs(Math.max(ledger.nowMs, endMs));
    const call = move.call('stage_jobs::sweep_epoch', ...[STRANGER, epochId, daoId].map(move.address));
    return { sender: STRANGER, action: { kind: 'sweepEpoch', epochId }, call };
  },
  refusals: {
    'EPOCH_STATE claimable': ['epoch::ENotSweepable'],
    'EPOCH_STATE rejected': ['epoch::ENotSweepable'],
    'EPOCH_STATE swept': ['epoch::ENotSweepable'],
  },
};
