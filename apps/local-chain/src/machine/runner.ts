import { verify } from '@usufruct/crypto';
import { fromBase64, refuse, toBase64, type DaoId, type RunnerId } from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  registrationTermMs,
  RunnerStatementBcs,
  runnerIdOf,
  TAGS,
  decodeCanonical,
  type ChainActionPayloads,
  type HolderSetView,
  type RunnerStatement,
  type RunnerView,
  type StatementSignature,
} from '@usufruct/protocol';
import { runnerKey, type DaoRecord } from './collections.js';
import { requireKey, requireTimestamp } from './guards.js';
import { requireOpen } from './pause.js';
import { requireMember } from './holder-set.js';
import { CLOCK_SKEW_MS, mustFind, type Room } from './room.js';

const STATEMENT_BYTES = 2_048;

/**
 * Register a runner's attested key. The chain appraises nothing itself: at least `verifierThreshold` members of the
 * DAO's holder set must have signed the same statement, for the appraisal policy that the DAO has now. A statement that
 * ends before the one that is registered changes nothing.
 */
export async function registerRunner(room: Room, action: ChainActionPayloads['registerRunner']): Promise<void> {
  const statement = decodeCanonical(RunnerStatementBcs, action.statement, STATEMENT_BYTES);
  if (statement === null) throw refuse('INVALID_ARGUMENT', { field: 'statement', expected: 'a canonical statement' });
  if (statement.chainId !== room.chain.chainId) {
    throw refuse('INVALID_ARGUMENT', { field: 'statement.chainId', expected: 'the id of this chain' });
  }
  const dao = mustFind(room, 'dao', statement.daoId);
  requireOpen(dao);
  requireKey(statement.signingPublicKey, 'statement.signingPublicKey');
  requireKey(statement.hpkePublicKey, 'statement.hpkePublicKey');
  requireCurrentPolicy(dao, statement);
  requireTerm(room, statement, registrationTermMs(dao.policy.appraisal));
  const holderSet = mustFind(room, 'holder-set', dao.policy.holderSetId);
  await requireVerifiers(holderSet, dao.policy.verifierThreshold, action.statement, action.signatures);

  const runner: RunnerView = {
    id: runnerIdOf<RunnerId>(statement.signingPublicKey),
    daoId: dao.id,
    profile: statement.profile,
    measurement: statement.measurement,
    signingPublicKey: toBase64(statement.signingPublicKey),
    hpkePublicKey: toBase64(statement.hpkePublicKey),
    appraisalPolicyDigest: statement.appraisalPolicyDigest,
    payTo: statement.payTo,
    expiresAtMs: statement.expiresAtMs,
  };
  const key = runnerKey(dao.id, runner.id);
  requireNotWithdrawn(room, key);
  const known = room.draft.read('runner', key);
  // Statements are public and anybody may send one again: an older one must not bring its payee or its term back.
  if (known !== undefined && known.expiresAtMs > runner.expiresAtMs) return;
  room.draft.write('runner', key, runner);
  room.emit({ type: 'RunnerRegistered', runner });
}

/** The runner: registered, not expired at `atMs`, and of a measurement and profile that the policy approves now. */
export function requireActiveRunner(room: Room, daoId: DaoId, runnerId: RunnerId, atMs: number): RunnerView {
  const key = runnerKey(daoId, runnerId);
  requireNotWithdrawn(room, key);
  const runner = room.draft.read('runner', key);
  if (runner === undefined) throw refuse('RUNNER_NOT_REGISTERED', { check: 'registered' });
  if (runner.expiresAtMs <= atMs) throw refuse('RUNNER_NOT_REGISTERED', { check: 'expired' });
  const { appraisal } = mustFind(room, 'dao', daoId).policy;
  if (!appraisal.measurements.includes(runner.measurement)) {
    throw refuse('RUNNER_NOT_REGISTERED', { check: 'measurement' });
  }
  if (!appraisal.profiles.some((profile) => profile === runner.profile)) {
    throw refuse('RUNNER_NOT_REGISTERED', { check: 'profile' });
  }
  return runner;
}

/** For good and at once: nothing that it signed is settled any more, and its key is not registered again. */
export function withdrawRunner(room: Room, daoId: DaoId, runnerId: RunnerId): void {
  const key = runnerKey(daoId, runnerId);
  requireNotWithdrawn(room, key);
  room.draft.write('withdrawn-runner', key, { withdrawnAtMs: room.nowMs });
  if (room.draft.read('runner', key) !== undefined) room.draft.erase('runner', key);
  room.emit({ type: 'RunnerWithdrawn', daoId, runnerId });
}

function requireNotWithdrawn(room: Room, key: string): void {
  if (room.draft.read('withdrawn-runner', key) !== undefined) {
    throw refuse('RUNNER_NOT_REGISTERED', { check: 'withdrawn' });
  }
}

function requireCurrentPolicy(dao: DaoRecord, statement: RunnerStatement): void {
  const { appraisal } = dao.policy;
  if (statement.appraisalPolicyDigest !== appraisalPolicyDigest(appraisal)) {
    throw refuse('POLICY_OUTDATED', { current: String(dao.policyVersion) });
  }
  if (!appraisal.measurements.includes(statement.measurement)) {
    throw refuse('ATTESTATION_REFUSED', { check: 'measurement' });
  }
  if (!appraisal.profiles.some((profile) => profile === statement.profile)) {
    throw refuse('ATTESTATION_REFUSED', { check: 'profile' });
  }
}

function requireTerm(room: Room, { issuedAtMs, expiresAtMs }: RunnerStatement, termMs: number): void {
  requireTimestamp(issuedAtMs, 'statement.issuedAtMs');
  requireTimestamp(expiresAtMs, 'statement.expiresAtMs');
  if (issuedAtMs > room.nowMs + CLOCK_SKEW_MS) throw refuse('ATTESTATION_REFUSED', { check: 'issuedAtMs' });
  if (expiresAtMs <= room.nowMs) throw refuse('ATTESTATION_STALE', { check: 'expiresAtMs' });
  if (expiresAtMs - issuedAtMs > termMs) {
    throw refuse('ATTESTATION_REFUSED', { check: 'term' });
  }
}

/** Every signature must be good: a wrong one among enough good ones means that somebody is confused or cheating. */
async function requireVerifiers(
  holderSet: HolderSetView,
  threshold: number,
  statement: Uint8Array,
  signatures: readonly StatementSignature[],
): Promise<void> {
  if (new Set(signatures.map(({ member }) => member)).size !== signatures.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'signatures', expected: 'one signature a member' });
  }
  if (signatures.length < threshold) {
    throw refuse('ATTESTATION_REFUSED', { check: 'verifiers', needed: String(threshold) });
  }
  for (const { member, signature } of signatures) {
    const holder = requireMember(holderSet, member, 'signatures.member');
    const publicKey = fromBase64(holder.signingPublicKey);
    if (!(await verify({ publicKey, domainTag: TAGS.runnerStatement, message: statement, signature }))) {
      throw refuse('SIGNATURE_INVALID', { member: String(member) });
    }
  }
}
