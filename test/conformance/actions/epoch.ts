import { sign } from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  fromBase64,
  toHex,
  type Address,
  type AmountUnits,
  type DaoId,
  type Digest,
  type EpochId,
  type Hex32,
} from '@usufruct/kernel';
import { EpochTree } from '@usufruct/ledger';
import {
  EpochStatementBcs,
  epochIdOf,
  LIMITS,
  TAGS,
  type EpochLeaf,
  type EpochStatement,
  type EpochView,
  type HolderSetView,
  type ReceiptPoolView,
  type StatementSignature,
} from '@usufruct/protocol';
import type { DaoRecord } from '../../../apps/local-chain/src/machine/collections.js';
import type { Actor, Play } from '../play/actor.js';
import { CHAIN, MINUTE_MS, OWNERS, RUNNER_KEYS, STRANGER, word, wordBytes } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { keyOf } from './holder-set.js';

/** The leaves of each epoch that was proposed; whoever claims needs them. */
const leavesOf = new WeakMap<Play['ledger'], Map<EpochId, EpochLeaf[]>>();
const knownLeaves = ({ ledger }: Play): Map<EpochId, EpochLeaf[]> => {
  const known = leavesOf.get(ledger) ?? new Map<EpochId, EpochLeaf[]>();
  leavesOf.set(ledger, known);
  return known;
};

export const proposeEpoch: Actor = {
  kind: 'proposeEpoch',
  mode: 'epoch',
  weight: 3,
  twists: [
    'malformed',
    'other chain',
    'other package',
    'other registry',
    'number',
    'attempt',
    'from',
    'none',
    'too far',
    'chain',
    'total',
    'no leaves',
    'future',
    'stale',
    'unknown settler',
    'signature',
    'too few',
    'member twice',
    'countersignature',
    'no such member',
    'challenged',
    'paused',
  ],
  prepare: ['registerRunner', 'mint', 'fundJob', 'settlePrivately', 'settlePrivately'],
  before: {
    challenged: ['settlePrivately', 'proposeEpoch', 'settlePrivately'],
    paused: ['settlePrivately', 'pauseDao'],
  },
  async attempt(play, twist) {
    const { ledger, random } = play;
    const pools = ledger.all('receipt-pool').filter((pool) => isReady(play, pool, twist));
    if (pools.length === 0) return null;
    const pool = random.pick(pools);
    const dao = ledger.read('dao', pool.daoId)!;
    const settler = settlerOf(play, dao);
    if (settler === null) return null;
    const leaves = leavesFor(play, pool);
    const fields = statementOf(play, { pool, leaves, settler: settler.publicKey }, twist);
    const encoded = EpochStatementBcs.serialize(fields).toBytes();
    const statement = twist === 'malformed' ? Uint8Array.of(...encoded, 0) : encoded;
    const secretKey = twist === 'signature' ? wordBytes('nobody') : settler.secretKey;
    const settlerSignature = await sign({ secretKey, domainTag: TAGS.epochStatement, message: statement });
    const set = ledger.read('holder-set', dao.policy.holderSetId)!;
    const signatures = await countersigned(play, { dao, set, statement }, twist);
    const epochId = epochIdOf(statement);
    knownLeaves(play).set(epochId, leaves);
    const call = move.call(
      'propose_epoch',
      ...[STRANGER, dao.id, set.id, epochId].map(move.address),
      move.bytes(statement),
      move.bytes(settlerSignature),
      move.list(signatures.map(({ member }) => `${member}u8`)),
      move.list(signatures.map(({ signature }) => move.bytes(signature))),
    );
    return { sender: STRANGER, action: { kind: 'proposeEpoch', statement, settlerSignature, signatures }, call };
  },
  refusals: {
    'EPOCH_INVALID encoding': ['epoch_statement::EStatementMalformed'],
    'EPOCH_INVALID chainId': ['epoch_statement::EStatementElsewhere'],
    'EPOCH_INVALID packageId': ['epoch_statement::EStatementElsewhere'],
    'EPOCH_INVALID registryId': ['epoch_statement::EStatementElsewhere'],
    DAO_PAUSED: ['data_dao::EPaused'],
    'EPOCH_STATE challenged': ['epoch::EChallengeGoesOn'],
    'EPOCH_INVALID number': ['epoch::ENumber'],
    'EPOCH_INVALID attempt': ['epoch::EAttempt'],
    'EPOCH_INVALID fromReceipt': ['epoch::EReceipts'],
    'EPOCH_INVALID toReceipt': ['epoch::EReceipts'],
    'EPOCH_INVALID receiptChain': ['epoch::EReceiptChain'],
    'EPOCH_INVALID totalUnits': ['epoch::ETotal'],
    'EPOCH_INVALID leafCount': ['epoch::ENoLeaves'],
    'EPOCH_INVALID issuedAtMs': ['epoch_statement::EStatementTime'],
    'EPOCH_INVALID freshness': ['epoch_statement::EStatementStale'],
    'RUNNER_NOT_REGISTERED registered': ['runner_registry::ENotRegistered'],
    'SIGNATURE_INVALID settler': ['epoch_statement::ESettlerSignature'],
    'EPOCH_INVALID countersigners': ['epoch_statement::ECountersigners'],
    'INVALID_ARGUMENT signatures.member': ['holder_set::ENoSuchMember'],
    TOMBSTONED: ['holder_set::EHolderTombstoned'],
    SIGNATURE_INVALID: ['epoch_statement::ECountersignature'],
  },
};

const windowEnd = ({ ledger }: Play, daoId: DaoId): number => ledger.read('epoch-window', daoId)?.endsAtMs ?? 0;

/** There are receipts to cover, and nobody else is in the way; time passes until then. */
function isReady(play: Play, pool: ReceiptPoolView, twist: string | null): boolean {
  const { ledger } = play;
  if (pool.receiptCount === pool.coveredReceipts) return false;
  const endsAtMs = windowEnd(play, pool.daoId);
  if (twist === 'challenged') return ledger.nowMs < endsAtMs;
  if (ledger.nowMs < endsAtMs) ledger.nowMs = asTimestampMs(endsAtMs);
  return true;
}

/** A runner whose registration lasts and whom the policy approves. */
function settlerOf({ ledger, random }: Play, { id, policy }: DaoRecord): (typeof RUNNER_KEYS)[number] | null {
  const { measurements, profiles } = policy.appraisal;
  const active = ledger
    .all('runner')
    .filter(
      (one) =>
        one.daoId === id &&
        one.expiresAtMs > ledger.nowMs + MINUTE_MS &&
        measurements.includes(one.measurement) &&
        profiles.some((profile) => profile === one.profile),
    );
  if (active.length === 0) return null;
  const key = toHex(fromBase64(random.pick(active).signingPublicKey));
  return RUNNER_KEYS.find(({ publicKey }) => toHex(publicKey) === key) ?? null;
}

function rangeOf({ ledger }: Play, pool: ReceiptPoolView): { to: bigint; chain: Digest; total: AmountUnits } {
  const marked = (number: bigint) => ledger.read('pool-mark', `${pool.daoId}/${number}`);
  const to = pool.receiptCount;
  const after = marked(to)!;
  const before = marked(pool.coveredReceipts)?.pooledUnits ?? 0n;
  return { to, chain: after.receiptChain, total: asAmount(after.pooledUnits - before) };
}

/** Parts of the total for some accounts, one of them zero; now and then more than there is, as cheats would sign. */
function leavesFor(play: Play, pool: ReceiptPoolView): EpochLeaf[] {
  const { random } = play;
  const { total } = rangeOf(play, pool);
  const accounts: Address[] = [...random.some(OWNERS), STRANGER];
  const part = total / BigInt(accounts.length);
  const rest = total - part * BigInt(accounts.length - 1);
  const number = pool.epochCount + 1n;
  const leaf = (account: Address, amountUnits: bigint, index: number): EpochLeaf => ({
    daoId: pool.daoId,
    number,
    index,
    account,
    amountUnits: asAmount(amountUnits),
    salt: word<Hex32>(`leaf ${index}`),
  });
  const excess = random.chance(0.2) ? 1n : 0n;
  const leaves = accounts.map((account, index) => leaf(account, index === 0 ? rest + excess : part, index));
  return [...leaves, leaf(OWNERS[0]!, 0n, leaves.length)];
}

interface Drafting {
  readonly pool: ReceiptPoolView;
  readonly leaves: readonly EpochLeaf[];
  readonly settler: Uint8Array;
}

function statementOf(play: Play, { pool, leaves, settler }: Drafting, twist: string | null): EpochStatement {
  const { ledger } = play;
  const { to, chain, total } = rangeOf(play, pool);
  const number = pool.epochCount + 1n;
  const last = ledger.read('epoch-attempt', `${pool.daoId}/${number}`)?.attempt ?? 0;
  const statement: EpochStatement = {
    chainId: CHAIN.chainId,
    packageId: CHAIN.packageId,
    registryId: CHAIN.registryId,
    daoId: pool.daoId,
    number,
    attempt: last + 1,
    fromReceipt: pool.coveredReceipts + 1n,
    toReceipt: to,
    receiptChain: chain,
    totalUnits: total,
    root: new EpochTree(leaves).root,
    leafCount: leaves.length,
    settlerPublicKey: settler,
    issuedAtMs: ledger.nowMs,
  };
  const changes: Readonly<Record<string, Partial<EpochStatement>>> = {
    'other chain': { chainId: 'another chain' },
    'other package': { packageId: word('another package') },
    'other registry': { registryId: word('another registry') },
    number: { number: number + 1n },
    attempt: { attempt: last },
    from: { fromReceipt: pool.coveredReceipts },
    none: { toReceipt: pool.coveredReceipts },
    'too far': { toReceipt: to + 1n },
    chain: { receiptChain: word<Digest>('another chain') },
    total: { totalUnits: asAmount(total + 1n) },
    'no leaves': { leafCount: 0 },
    future: { issuedAtMs: asTimestampMs(ledger.nowMs + MINUTE_MS + 1) },
    stale: { issuedAtMs: asTimestampMs(ledger.nowMs - LIMITS.receiptFreshnessMs - 1) },
    'unknown settler': { settlerPublicKey: wordBytes('unknown settler') },
  };
  return { ...statement, ...changes[twist ?? ''] };
}

interface Countersigning {
  readonly dao: DaoRecord;
  readonly set: HolderSetView;
  readonly statement: Uint8Array;
}

async function countersigned(
  { random }: Play,
  { dao, set, statement }: Countersigning,
  twist: string | null,
): Promise<StatementSignature[]> {
  const needed = dao.policy.verifierThreshold;
  const count = twist === 'too few' ? needed - 1 : random.int(needed, set.members.length);
  const by = async (member: number, secretKey: Uint8Array): Promise<StatementSignature> => ({
    member,
    signature: await sign({ secretKey, domainTag: TAGS.epochStatement, message: statement }),
  });
  const members = Array.from({ length: count }, (_, i) => i);
  const signatures = await Promise.all(members.map((member) => by(member, keyOf(set, member).secretKey)));
  const last = signatures[signatures.length - 1];
  if (last === undefined) return signatures;
  if (twist === 'member twice') return [...signatures, last];
  if (twist === 'no such member') return [...signatures, { ...last, member: set.members.length }];
  if (twist === 'countersignature') return [...signatures.slice(0, -1), await by(last.member, wordBytes('nobody'))];
  return signatures;
}

/** Epochs in their challenge window, or not. */
const challengeable = ({ ledger }: Play, { state, challengeEndsAtMs }: EpochView): boolean =>
  state === 'open' && ledger.nowMs < challengeEndsAtMs;

export const objectToEpoch: Actor = {
  kind: 'objectToEpoch',
  mode: 'epoch',
  weight: 1,
  twists: ['wrong operator', 'no such member', 'again', 'late', 'rejected'],
  prepare: ['registerRunner', 'mint', 'fundJob', 'settlePrivately', 'proposeEpoch'],
  before: { again: ['objectToEpoch'], rejected: ['objectToEpoch', 'objectToEpoch', 'objectToEpoch', 'objectToEpoch'] },
  attempt(play, twist) {
    const { ledger, random } = play;
    const epochs = ledger
      .all('epoch')
      .filter((epoch) => (twist === 'rejected' ? epoch.state === 'rejected' : challengeable(play, epoch)));
    if (epochs.length === 0) return null;
    const epoch = random.pick(epochs);
    const { holderSetId } = ledger.read('epoch-rules', epoch.id)!;
    const set = ledger.read('holder-set', holderSetId)!;
    const members = set.members.flatMap(({ operator }, i) =>
      epoch.objections.includes(operator) === (twist === 'again') ? [i] : [],
    );
    if (members.length === 0) return null;
    const member = twist === 'no such member' ? set.members.length : random.pick(members);
    const sender = twist === 'wrong operator' ? STRANGER : (set.members[member]?.operator ?? STRANGER);
    if (twist === 'late') ledger.nowMs = epoch.challengeEndsAtMs;
    const ids = [sender, epoch.id, epoch.daoId, holderSetId].map(move.address);
    const call = move.call('object_to_epoch', ...ids, move.number(member));
    return { sender, action: { kind: 'objectToEpoch', epochId: epoch.id, member }, call };
  },
  refusals: {
    WRONG_WALLET: ['holder_set::EWrongOperator'],
    'INVALID_ARGUMENT member': ['holder_set::ENoSuchMember'],
    TOMBSTONED: ['holder_set::EHolderTombstoned'],
    'EPOCH_STATE objected': ['epoch::EObjected'],
    'EPOCH_STATE unchallenged': ['epoch::ENotChallengeable'],
    'EPOCH_STATE rejected': ['epoch::ENotChallengeable'],
  },
};

export const proveEquivocation: Actor = {
  kind: 'proveEquivocation',
  mode: 'epoch',
  weight: 0.5,
  twists: ['the same', 'other attempt', 'signature', 'late', 'malformed'],
  prepare: ['registerRunner', 'mint', 'fundJob', 'settlePrivately', 'proposeEpoch'],
  async attempt(play, twist) {
    const { ledger, random } = play;
    const epochs = ledger.all('epoch').filter((epoch) => challengeable(play, epoch));
    if (epochs.length === 0) return null;
    const epoch = random.pick(epochs);
    const runner = ledger.read('runner', `${epoch.daoId}/${epoch.settler}`);
    const settler = RUNNER_KEYS.find(
      ({ publicKey }) => toHex(publicKey) === toHex(fromBase64(runner?.signingPublicKey ?? '')),
    );
    if (settler === undefined) return null;
    const fields: EpochStatement = {
      chainId: CHAIN.chainId,
      packageId: CHAIN.packageId,
      registryId: CHAIN.registryId,
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
    const call = move.call('prove_equivocation', ...ids, move.bytes(statement), move.bytes(settlerSignature));
    const action = { kind: 'proveEquivocation', epochId: epoch.id, statement, settlerSignature } as const;
    return { sender: STRANGER, action, call };
  },
  refusals: {
    'EPOCH_INVALID encoding': ['epoch_statement::EStatementMalformed'],
    'EPOCH_INVALID equivocation': ['epoch::ENoEquivocation'],
    'SIGNATURE_INVALID settler': ['epoch_statement::ESettlerSignature'],
    'EPOCH_STATE unchallenged': ['epoch::ENotChallengeable'],
  },
};

export const claimPayout: Actor = {
  kind: 'claimPayout',
  mode: 'epoch',
  weight: 4,
  twists: ['early', 'late', 'again', 'no leaf', 'more', 'other account', 'proof', 'swept'],
  prepare: ['registerRunner', 'mint', 'fundJob', 'settlePrivately', 'proposeEpoch'],
  before: { again: ['claimPayout'], swept: ['sweepEpoch'] },
  attempt(play, twist) {
    const { ledger, random } = play;
    const epochs = ledger.all('epoch').filter((epoch) => claimTime(play, epoch, twist) !== null);
    if (epochs.length === 0) return null;
    const epoch = random.pick(epochs);
    const leaves = knownLeaves(play).get(epoch.id) ?? [];
    const isClaimed = ({ index }: EpochLeaf): boolean => ledger.read('claim', `${epoch.id}/${index}`) !== undefined;
    const wanted = (leaf: EpochLeaf): boolean =>
      isClaimed(leaf) === (twist === 'again') && (twist === null || leaf.amountUnits > 0n);
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
      'claim_payout',
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
  if (twist === 'swept') return state === 'swept' ? ledger.nowMs : null;
  if (state !== 'open') return null;
  if (twist === 'early') return ledger.nowMs < challengeEndsAtMs ? challengeEndsAtMs - 1 : null;
  if (twist === 'late') return Math.max(ledger.nowMs, endMs);
  return ledger.nowMs < endMs ? Math.max(ledger.nowMs, challengeEndsAtMs) : null;
}

export const sweepEpoch: Actor = {
  kind: 'sweepEpoch',
  mode: 'epoch',
  weight: 0.7,
  twists: ['early', 'again'],
  prepare: ['registerRunner', 'mint', 'fundJob', 'settlePrivately', 'proposeEpoch'],
  before: { again: ['sweepEpoch'] },
  attempt(play, twist) {
    const { ledger, random } = play;
    const epochs = ledger.all('epoch').filter(({ state }) => state === (twist === 'again' ? 'swept' : 'open'));
    if (epochs.length === 0) return null;
    const { id: epochId, daoId, challengeEndsAtMs, claimTermMs } = random.pick(epochs);
    const endMs = challengeEndsAtMs + claimTermMs - (twist === 'early' ? 1 : 0);
    if (twist === 'early' && ledger.nowMs > endMs) return null;
    ledger.nowMs = asTimestampMs(Math.max(ledger.nowMs, endMs));
    const call = move.call('sweep_epoch', ...[STRANGER, epochId, daoId].map(move.address));
    return { sender: STRANGER, action: { kind: 'sweepEpoch', epochId }, call };
  },
  refusals: {
    'EPOCH_STATE claimable': ['epoch::ENotSweepable'],
    'EPOCH_STATE swept': ['epoch::ENotSweepable'],
  },
};
