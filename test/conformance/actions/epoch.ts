import { sign } from '@usufruct/crypto';
import { asAmount, asTimestampMs, fromBase64, toHex, type DaoId, type Digest } from '@usufruct/kernel';
import { EpochTree } from '@usufruct/ledger';
import {
  EpochStatementBcs,
  epochIdOf,
  LIMITS,
  TAGS,
  type EpochLeaf,
  type EpochStatement,
  type ReceiptPoolView,
  type RunnerView,
} from '@usufruct/protocol';
import type { DaoRecord } from '../../../apps/local-chain/src/machine/collections.js';
import type { Actor, Play } from '../play/actor.js';
import { CHAIN, MINUTE_MS, RUNNER_KEYS, STRANGER, word, wordBytes, type KeyPair } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { knownLeaves, leavesFor, rangeOf } from './epoch-leaves.js';
import { MEMBER_TWISTS, signaturesOf } from './member-signatures.js';
import { withdrawnKeyOf } from './runner.js';

const SETTLERS_SIGNATURE = 'signature of the settler';

export const proposeEpoch: Actor = {
  kind: 'proposeEpoch',
  needs: () => ({ mode: 'epoch' }),
  weight: 3,
  twists: [
    'malformed',
    'other chain',
    'other package',
    'other registry',
    'other dao',
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
    'settler expired',
    'settler measurement',
    'settler profile',
    'settler withdrawn',
    SETTLERS_SIGNATURE,
    ...MEMBER_TWISTS,
    'challenged',
    'paused',
  ],
  prepare: ['registerRunner', 'mint', 'fundJob', 'settlePrivately', 'settlePrivately'],
  before: {
    challenged: ['settlePrivately', 'proposeEpoch', 'settlePrivately'],
    'settler measurement': ['setPolicy'],
    'settler profile': ['setPolicy'],
    'settler withdrawn': ['settlePrivately', 'proposeEpoch', 'proveEquivocation'],
    'retired signer': ['settlePrivately', 'tombstoneHolder'],
    paused: ['settlePrivately', 'pauseDao'],
  },
  meets: {
    [SETTLERS_SIGNATURE]: 'SIGNATURE_INVALID settler',
    signature: 'SIGNATURE_INVALID',
    'settler expired': 'RUNNER_NOT_REGISTERED expired',
    'settler measurement': 'RUNNER_NOT_REGISTERED measurement',
    'settler profile': 'RUNNER_NOT_REGISTERED profile',
    'settler withdrawn': 'RUNNER_NOT_REGISTERED withdrawn',
    'retired signer': 'TOMBSTONED holder',
  },
  async attempt(play, twist) {
    const { ledger, random } = play;
    const pools = ledger.all('receipt-pool').filter((pool) => isReady(play, pool, twist));
    if (pools.length === 0) return null;
    const pool = random.pick(pools);
    const dao = ledger.read('dao', pool.daoId)!;
    const settler = settlerOf(play, dao, twist);
    if (settler === null) return null;
    const leaves = leavesFor(play, pool);
    const fields = statementOf(play, { pool, leaves, settler: settler.publicKey }, twist);
    const encoded = EpochStatementBcs.serialize(fields).toBytes();
    const statement = twist === 'malformed' ? Uint8Array.of(...encoded, 0) : encoded;
    const secretKey = twist === SETTLERS_SIGNATURE ? wordBytes('nobody') : settler.secretKey;
    const settlerSignature = await sign({ secretKey, domainTag: TAGS.epochStatement, message: statement });
    const set = ledger.read('holder-set', dao.policy.holderSetId)!;
    const needed = dao.policy.verifierThreshold;
    const signing = { set, message: statement, domainTag: TAGS.epochStatement, needed };
    const signatures = await signaturesOf(play, signing, twist);
    const epochId = epochIdOf(statement);
    knownLeaves(play).set(epochId, leaves);
    const call = move.call(
      'stage_jobs::propose_epoch',
      ...[STRANGER, dao.id, set.id, epochId].map(move.address),
      move.bytes(statement),
      move.bytes(settlerSignature),
      ...move.signatures(signatures),
    );
    return { sender: STRANGER, action: { kind: 'proposeEpoch', statement, settlerSignature, signatures }, call };
  },
  refusals: {
    'EPOCH_INVALID encoding': ['epoch_statement::EStatementMalformed'],
    'EPOCH_INVALID chainId': ['epoch_statement::EStatementElsewhere'],
    'EPOCH_INVALID packageId': ['epoch_statement::EStatementElsewhere'],
    'EPOCH_INVALID registryId': ['epoch_statement::EStatementElsewhere'],
    'NOT_FOUND dao': ['epoch::EWrongDao'],
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
    'RUNNER_NOT_REGISTERED expired': ['runner_registry::ERegistrationExpired'],
    'RUNNER_NOT_REGISTERED measurement': ['runner_registry::EMeasurementRefused'],
    'RUNNER_NOT_REGISTERED profile': ['runner_registry::EProfileRefused'],
    'RUNNER_NOT_REGISTERED withdrawn': ['runner_registry::EWithdrawn'],
    'SIGNATURE_INVALID settler': ['epoch_statement::ESettlerSignature'],
    'EPOCH_INVALID countersigners': ['epoch_statement::ECountersigners'],
    'INVALID_ARGUMENT signatures.member': ['holder_set::ENoSuchMember'],
    'TOMBSTONED holder': ['holder_set::EHolderTombstoned'],
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

/** A runner whose registration lasts and whom the policy approves, but for what the twist says. */
function settlerOf({ ledger, random }: Play, { id, policy }: DaoRecord, twist: string | null): KeyPair | null {
  if (twist === 'settler withdrawn') return withdrawnKeyOf(ledger, id);
  const { measurements, profiles } = policy.appraisal;
  const isChosen = ({ daoId, expiresAtMs, measurement, profile }: RunnerView): boolean => {
    const [measured, profiled] = [measurements.includes(measurement), profiles.some((one) => one === profile)];
    const asTold = twist === 'settler measurement' ? !measured : measured && profiled === (twist !== 'settler profile');
    return daoId === id && asTold && expiresAtMs > ledger.nowMs + MINUTE_MS;
  };
  const runners = ledger.all('runner').filter(isChosen);
  if (runners.length === 0) return null;
  const { signingPublicKey, expiresAtMs } = random.pick(runners);
  if (twist === 'settler expired') ledger.nowMs = expiresAtMs;
  const key = toHex(fromBase64(signingPublicKey));
  return RUNNER_KEYS.find(({ publicKey }) => toHex(publicKey) === key) ?? null;
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
    'other dao': { daoId: word<DaoId>('another dao') },
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
