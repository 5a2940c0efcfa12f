import { asTimestampMs, type DaoId, type Digest, type RunnerId } from '@usufruct/kernel';
import { appraisalPolicyDigest, runnerIdOf, RunnerStatementBcs, TAGS, type RunnerStatement } from '@usufruct/protocol';
import type { DaoRecord } from '../../../apps/local-chain/src/machine/collections.js';
import type { Actor, Play } from '../play/actor.js';
import { CHAIN, MINUTE_MS, PAYEES, RUNNER_KEYS, STRANGER, word, wordBytes, type KeyPair } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { MEMBER_TWISTS, signaturesOf } from './member-signatures.js';

/** The profile and measurement of a runner that no policy here approves. */
const OTHER_MEASUREMENT = '12'.repeat(48);

export const registerRunner: Actor = {
  kind: 'registerRunner',
  weight: 3,
  twists: [
    'malformed',
    'other chain',
    'other dao',
    'zero key',
    'zero sealing key',
    'other policy',
    'measurement',
    'profile',
    'future',
    'expired',
    'too long',
    ...MEMBER_TWISTS,
    'withdrawn',
    'paused',
  ],
  before: {
    paused: ['pauseDao'],
    'retired signer': ['tombstoneHolder'],
    withdrawn: ['mint', 'fundJob', 'settlePrivately', 'proposeEpoch', 'proveEquivocation'],
  },
  meets: {
    'retired signer': 'TOMBSTONED holder',
    withdrawn: 'RUNNER_NOT_REGISTERED withdrawn',
  },
  needs: (twist) => (twist === 'withdrawn' ? { mode: 'epoch' } : {}),
  async attempt(play, twist) {
    const { ledger, random } = play;
    const daos = ledger.all('dao');
    if (daos.length === 0) return null;
    const dao = random.pick(daos);
    const set = ledger.read('holder-set', dao.policy.holderSetId)!;
    const known = twist === 'withdrawn' ? withdrawnKeyOf(ledger, dao.id) : random.pick(RUNNER_KEYS);
    if (known === null) return null;
    const statement = statementOf(play, { dao, signingPublicKey: known.publicKey }, twist);
    const needed = dao.policy.verifierThreshold;
    const signing = { set, message: statement, domainTag: TAGS.runnerStatement, needed };
    const signatures = await signaturesOf(play, signing, twist);
    const call = move.call(
      'stage_daos::register_runner',
      ...[STRANGER, dao.id, set.id].map(move.address),
      move.bytes(statement),
      ...move.signatures(signatures),
    );
    return { sender: STRANGER, action: { kind: 'registerRunner', statement, signatures }, call };
  },
  refusals: {
    'INVALID_ARGUMENT statement': ['runner_registry::EStatementMalformed'],
    'INVALID_ARGUMENT statement.chainId': ['runner_registry::EStatementElsewhere'],
    DAO_PAUSED: ['data_dao::EPaused'],
    'NOT_FOUND dao': ['runner_registry::EStatementElsewhere'],
    'INVALID_ARGUMENT statement.signingPublicKey': ['checks::EKeyInvalid'],
    'INVALID_ARGUMENT statement.hpkePublicKey': ['checks::EKeyInvalid'],
    POLICY_OUTDATED: ['runner_registry::EPolicyOutdated'],
    'ATTESTATION_REFUSED measurement': ['runner_registry::EMeasurementRefused'],
    'ATTESTATION_REFUSED profile': ['runner_registry::EProfileRefused'],
    'ATTESTATION_REFUSED issuedAtMs': ['runner_registry::EStatementTerm'],
    'ATTESTATION_STALE expiresAtMs': ['runner_registry::EStatementExpired'],
    'ATTESTATION_REFUSED term': ['runner_registry::EStatementTerm'],
    'ATTESTATION_REFUSED verifiers': ['runner_registry::EVerifiers'],
    'INVALID_ARGUMENT signatures': ['runner_registry::EVerifiers'],
    'INVALID_ARGUMENT signatures.member': ['holder_set::ENoSuchMember'],
    'TOMBSTONED holder': ['holder_set::EHolderTombstoned'],
    'RUNNER_NOT_REGISTERED withdrawn': ['runner_registry::EWithdrawn'],
    SIGNATURE_INVALID: ['runner_registry::EVerifierSignature'],
  },
};

/** The key of a runner that is known to have signed two truths. */
export function withdrawnKeyOf(ledger: Play['ledger'], daoId: DaoId): KeyPair | null {
  const isWithdrawn = ({ publicKey }: KeyPair): boolean =>
    ledger.read('withdrawn-runner', `${daoId}/${runnerIdOf<RunnerId>(publicKey)}`) !== undefined;
  return RUNNER_KEYS.find(isWithdrawn) ?? null;
}

interface Stating {
  readonly dao: DaoRecord;
  readonly signingPublicKey: Uint8Array;
}

function statementOf({ ledger, random }: Play, { dao, signingPublicKey }: Stating, twist: string | null): Uint8Array {
  const { appraisal } = dao.policy;
  const { nowMs } = ledger;
  const issuedAtMs = nowMs + random.pick([0, 0, -MINUTE_MS, MINUTE_MS]);
  const termMs = random.chance(0.7) ? appraisal.resultTermMs : MINUTE_MS + 1;
  const statement: RunnerStatement = {
    chainId: CHAIN.chainId,
    daoId: dao.id,
    profile: random.pick(appraisal.profiles),
    measurement: random.pick(appraisal.measurements),
    signingPublicKey,
    hpkePublicKey: wordBytes('hpke key'),
    appraisalPolicyDigest: appraisalPolicyDigest(appraisal),
    payTo: random.pick(PAYEES),
    issuedAtMs: asTimestampMs(issuedAtMs),
    expiresAtMs: asTimestampMs(Math.max(issuedAtMs + termMs, nowMs + 1)),
  };
  const latest = issuedAtMs + appraisal.resultTermMs;
  const changes: Readonly<Record<string, Partial<RunnerStatement>>> = {
    'other chain': { chainId: 'another chain' },
    'other dao': { daoId: word<DaoId>('another dao') },
    'zero key': { signingPublicKey: new Uint8Array(32) },
    'zero sealing key': { hpkePublicKey: new Uint8Array(32) },
    'other policy': { appraisalPolicyDigest: word<Digest>('another policy') },
    measurement: { measurement: OTHER_MEASUREMENT },
    profile: { profile: 'software-dev' },
    future: { issuedAtMs: asTimestampMs(nowMs + MINUTE_MS + 1), expiresAtMs: asTimestampMs(nowMs + 2 * MINUTE_MS) },
    expired: { issuedAtMs: asTimestampMs(nowMs - 1), expiresAtMs: nowMs },
    'too long': { expiresAtMs: asTimestampMs(latest + 1) },
  };
  const bytes = RunnerStatementBcs.serialize({ ...statement, ...changes[twist ?? ''] }).toBytes();
  return twist === 'malformed' ? Uint8Array.of(...bytes, 0) : bytes;
}
