import { fromBase64, toHex, type Digest } from '@usufruct/kernel';
import { EpochStatementBcs, TAGS, type EpochStatement, type EpochView } from '@usufruct/protocol';
import { sign } from '@usufruct/crypto';
import type { Actor, Play } from '../play/actor.js';
import { CHAIN, RUNNER_KEYS, STRANGER, word, wordBytes } from '../play/cast.js';
import * as move from '../play/move-text.js';

/** By an operator whose place in the set is another one by now. */
const AGAIN_ELSEWHERE = 'again from another place';

/** States in which nobody can object any more, which are twists of the same names. */
const isOver = (twist: string | null): boolean => twist === 'rejected' || twist === 'swept';

/** Epochs in their challenge window, or not. */
const challengeable = ({ ledger }: Play, { state, challengeEndsAtMs }: EpochView): boolean =>
  state === 'open' && ledger.nowMs < challengeEndsAtMs;

/** One that can be challenged, or one of the state that the twist names. */
function epochFor(play: Play, twist: string | null): EpochView | null {
  const { ledger, random } = play;
  const epochs = ledger
    .all('epoch')
    .filter((epoch) => (isOver(twist) ? epoch.state === twist : challengeable(play, epoch)));
  return epochs.length === 0 ? null : random.pick(epochs);
}

export const objectToEpoch: Actor = {
  kind: 'objectToEpoch',
  needs: () => ({ mode: 'epoch' }),
  weight: 1,
  twists: ['wrong operator', 'no such member', 'retired', 'again', AGAIN_ELSEWHERE, 'late', 'rejected', 'swept'],
  ways: ['after a rotation'],
  prepare: ['registerRunner', 'mint', 'fundJob', 'settlePrivately', 'proposeEpoch'],
  before: {
    again: ['objectToEpoch'],
    [AGAIN_ELSEWHERE]: ['objectToEpoch', 'rotateHolderSet'],
    'after a rotation': ['objectToEpoch', 'rotateHolderSet'],
    retired: ['tombstoneHolder'],
    rejected: ['objectToEpoch', 'objectToEpoch', 'objectToEpoch', 'objectToEpoch'],
    swept: ['sweepEpoch'],
  },
  meets: { retired: 'TOMBSTONED holder', again: 'EPOCH_STATE objected', [AGAIN_ELSEWHERE]: 'EPOCH_STATE objected' },
  attempt(play, twist) {
    const { ledger, random } = play;
    const epoch = epochFor(play, twist);
    if (epoch === null) return null;
    const { holderSetId } = ledger.read('epoch-rules', epoch.id)!;
    const set = ledger.read('holder-set', holderSetId)!;
    const members = set.members.flatMap(({ operator, signingPublicKey }, i) => {
      const hasObjected = epoch.objections.includes(operator);
      const isRetired = set.tombstonedKeys.includes(signingPublicKey);
      return hasObjected === (twist === 'again' || twist === AGAIN_ELSEWHERE) && (twist !== 'retired' || isRetired)
        ? [i]
        : [];
    });
    if (members.length === 0) return null;
    const member = twist === 'no such member' ? set.members.length : random.pick(members);
    const sender = twist === 'wrong operator' ? STRANGER : (set.members[member]?.operator ?? STRANGER);
    if (twist === 'late') ledger.nowMs = epoch.challengeEndsAtMs;
    const ids = [sender, epoch.id, epoch.daoId, holderSetId].map(move.address);
    const call = move.call('stage_jobs::object_to_epoch', ...ids, move.number(member));
    return { sender, action: { kind: 'objectToEpoch', epochId: epoch.id, member }, call };
  },
  refusals: {
    WRONG_WALLET: ['holder_set::EWrongOperator'],
    'INVALID_ARGUMENT member': ['holder_set::ENoSuchMember'],
    'TOMBSTONED holder': ['holder_set::EHolderTombstoned'],
    'EPOCH_STATE objected': ['epoch::EObjected'],
    'EPOCH_STATE unchallenged': ['epoch::ENotChallengeable'],
    'EPOCH_STATE rejected': ['epoch::ENotChallengeable'],
    'EPOCH_STATE swept': ['epoch::ENotChallengeable'],
  },
};

export const proveEquivocation: Actor = {
  kind: 'proveEquivocation',
  needs: () => ({ mode: 'epoch' }),
  weight: 0.5,
  twists: [
    'the same',
    'other attempt',
    'signature',
    'late',
    'rejected',
    'swept',
    'malformed',
    'other chain',
    'other package',
    'other registry',
  ],
  before: { rejected: ['objectToEpoch', 'objectToEpoch', 'objectToEpoch'], swept: ['sweepEpoch'] },
  prepare: ['registerRunner', 'mint', 'fundJob', 'settlePrivately', 'proposeEpoch'],
  async attempt(play, twist) {
    const { ledger } = play;
    const epoch = epochFor(play, twist);
    if (epoch === null) return null;
    const runner = ledger.read('runner', `${epoch.daoId}/${epoch.settler}`);
    const settler = RUNNER_KEYS.find(
      ({ publicKey }) => toHex(publicKey) === toHex(fromBase64(runner?.signingPublicKey ?? '')),
    );
    if (settler === undefined) return null;
    const fields: EpochStatement = {
      chainId: twist === 'other chain' ? 'another chain' : CHAIN.chainId,
      packageId: twist === 'other package' ? word('another package') : CHAIN.packageId,
      registryId: twist === 'other registry' ? word('another registry') : CHAIN.registryId,
      daoId: epoch.daoId,
      number: epoch.number,
      attempt: twist === 'other attempt' ? epoch.attempt + 1 : epoch.attempt,
      fromReceipt: epoch.fromReceipt,
      toReceipt: epoch.toReceipt,
      receiptChain: ledger.read('pool-mark', `${epoch.daoId}/${epoch.toReceipt}`)!.receiptChain,
      totalUnits: epoch.totalUnits,
      root: twist === 'the same' ? epoch.root : word<Digest>('another root'),
      leafCount: epoch.leafCount,
      settlerPublicKey: settler.publicKey,
      issuedAtMs: epoch.proposedAtMs,
    };
    const encoded = EpochStatementBcs.serialize(fields).toBytes();
    const statement = twist === 'malformed' ? Uint8Array.of(...encoded, 0) : encoded;
    const secretKey = twist === 'signature' ? wordBytes('nobody') : settler.secretKey;
    const settlerSignature = await sign({ secretKey, domainTag: TAGS.epochStatement, message: statement });
    if (twist === 'late') ledger.nowMs = epoch.challengeEndsAtMs;
    const ids = [STRANGER, epoch.id, epoch.daoId].map(move.address);
    const call = move.call(
      'stage_jobs::prove_equivocation',
      ...ids,
      move.bytes(statement),
      move.bytes(settlerSignature),
    );
    const action = { kind: 'proveEquivocation', epochId: epoch.id, statement, settlerSignature } as const;
    return { sender: STRANGER, action, call };
  },
  refusals: {
    'EPOCH_INVALID encoding': ['epoch_statement::EStatementMalformed'],
    'EPOCH_INVALID chainId': ['epoch_statement::EStatementElsewhere'],
    'EPOCH_INVALID packageId': ['epoch_statement::EStatementElsewhere'],
    'EPOCH_INVALID registryId': ['epoch_statement::EStatementElsewhere'],
    'EPOCH_INVALID equivocation': ['epoch::ENoEquivocation'],
    'SIGNATURE_INVALID settler': ['epoch_statement::ESettlerSignature'],
    'EPOCH_STATE unchallenged': ['epoch::ENotChallengeable'],
    'EPOCH_STATE rejected': ['epoch::ENotChallengeable'],
    'EPOCH_STATE swept': ['epoch::ENotChallengeable'],
  },
};
