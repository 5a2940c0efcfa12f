import { asAmount, asTimestampMs, type JobId } from '@usufruct/kernel';
import { deriveId, LIMITS, type ChainActionPayloads, type DatasetView, type JobView } from '@usufruct/protocol';
import type { DaoRecord } from '../../../apps/local-chain/src/machine/collections.js';
import { saltOf, type Actor, type Play } from '../play/actor.js';
import { REQUESTERS, STRANGER, wordBytes } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { someDataset } from './living.js';
import { KINDS, PROTECTIONS } from './policy.js';
import { DECIDED, RETIRED, retirementFor } from './voting.js';

type Funding = Omit<ChainActionPayloads['fundJob'], 'salt'>;

export const fundJob: Actor = {
  kind: 'fundJob',
  weight: 4,
  twists: [
    'old version',
    'price',
    'purpose',
    'computation',
    'protection',
    'no questions',
    'many questions',
    'no term',
    'long term',
    'zero key',
    'too poor',
    'taken',
    'paused',
    RETIRED,
  ],
  before: { paused: ['pauseDao'], taken: ['mint', 'fundJob'], [RETIRED]: ['mint', ...DECIDED] },
  needs: retirementFor,
  prepare: ['mint'],
  attempt(play, twist) {
    const { ledger, random } = play;
    const dataset = someDataset(play, twist);
    if (dataset === null) return null;
    const dao = ledger.read('dao', dataset.daoId)!;
    const funding = fundingOf(play, { dao, dataset }, twist);
    if (funding === null) return null;
    const escrow = funding.pricePerQuestionUnits * BigInt(funding.maxQuestions);
    const canPay = REQUESTERS.filter((account) => ledger.balanceOf(account) >= escrow);
    const poor = twist === 'too poor';
    const payers = poor ? REQUESTERS.filter((account) => !canPay.includes(account)) : canPay;
    if (payers.length === 0) return null;
    const sender = random.pick(payers);
    const idOf = (salt: `0x${string}`): JobId => deriveId<JobId>('job', dataset.id, sender, salt);
    const salt = saltOf(twist === 'taken', (one) => ledger.read('job', idOf(one)) !== undefined);
    if (salt === null) return null;
    const call = move.call(
      'stage_jobs::fund_job',
      ...[sender, dao.id, dataset.id, idOf(salt), salt].map(move.address),
      move.text(funding.purpose),
      move.kind(funding.computation),
      move.protection(funding.protection),
      move.number(funding.policyVersion),
      move.number(funding.pricePerQuestionUnits),
      move.number(funding.maxQuestions),
      move.number(funding.termMs),
      move.bytes(funding.clientPublicKey),
      // Whoever cannot pay it all sends what there is.
      move.number(poor ? ledger.balanceOf(sender) : escrow),
    );
    return { sender, action: { kind: 'fundJob', salt, ...funding }, call };
  },
  refusals: {
    DAO_PAUSED: ['data_dao::EPaused'],
    'TOMBSTONED dataset': ['dataset::ETombstoned'],
    'ALREADY_EXISTS job': ['data_dao::EIdTaken'],
    POLICY_OUTDATED: ['job::EPolicyOutdated'],
    'INVALID_ARGUMENT pricePerQuestionUnits': ['job::EWrongPrice'],
    PURPOSE_DENIED: ['job::EPurposeDenied'],
    'SCOPE_MISMATCH kind': ['job::EKindDenied'],
    'SCOPE_MISMATCH protection': ['job::EProtectionDenied'],
    'INVALID_ARGUMENT maxQuestions': ['job::EQuestionCount'],
    'INVALID_ARGUMENT termMs': ['job::ETerm'],
    'INVALID_ARGUMENT clientPublicKey': ['checks::EKeyInvalid'],
    INSUFFICIENT_BALANCE: ['job::EWrongPayment'],
  },
};

interface Where {
  readonly dao: DaoRecord;
  readonly dataset: DatasetView;
}

function fundingOf({ random }: Play, { dao, dataset }: Where, twist: string | null): Funding | null {
  const { policy, policyVersion } = dao;
  const price = policy.pricePerQuestionUnits;
  const computation =
    twist === 'computation' ? KINDS.find((k) => !policy.kinds.includes(k)) : random.pick(policy.kinds);
  const protection =
    twist === 'protection' ? PROTECTIONS.find((p) => !policy.protections.includes(p)) : random.pick(policy.protections);
  if (computation === undefined || protection === undefined) return null;
  const term = random.chance(0.5) ? policy.maxJobTermMs : random.int(1, policy.maxJobTermMs);
  const funding: Funding = {
    datasetId: dataset.id,
    purpose: random.pick(policy.purposes),
    computation,
    protection,
    policyVersion,
    pricePerQuestionUnits: price,
    maxQuestions: random.int(1, 3),
    termMs: term,
    clientPublicKey: wordBytes('client key'),
  };
  const changes: Readonly<Record<string, Partial<Funding>>> = {
    'old version': { policyVersion: policyVersion - 1 },
    price: { pricePerQuestionUnits: asAmount(price === 0n ? 1n : price - 1n) },
    // Covered by what most grants say, and not by what the policy lists.
    purpose: { purpose: 'DUO:0000011' },
    'no questions': { maxQuestions: 0 },
    'many questions': { maxQuestions: LIMITS.questionsPerJob + 1 },
    'no term': { termMs: 0 },
    'long term': { termMs: policy.maxJobTermMs + 1 },
    'zero key': { clientPublicKey: new Uint8Array(32) },
  };
  return { ...funding, ...changes[twist ?? ''] };
}

export const closeJob: Actor = {
  kind: 'closeJob',
  weight: 1,
  twists: ['wrong sender', 'closed', 'expired'],
  before: { closed: ['closeJob'], expired: ['mint', 'fundJob', 'expireJob'] },
  prepare: ['mint', 'fundJob'],
  attempt({ ledger, random }, twist) {
    const isChosen = ({ state }: JobView): boolean => {
      if (twist === 'expired') return state === 'expired';
      return twist === 'closed' ? state === 'succeeded' || state === 'cancelled' : state === 'funded';
    };
    const jobs = ledger.all('job').filter(isChosen);
    if (jobs.length === 0) return null;
    const { id: jobId, requester } = random.pick(jobs);
    const sender = twist === 'wrong sender' ? STRANGER : requester;
    const call = move.call('stage_jobs::close_job', move.address(sender), move.address(jobId));
    return { sender, action: { kind: 'closeJob', jobId }, call };
  },
  refusals: {
    WRONG_WALLET: ['job::EWrongRequester'],
    JOB_EXPIRED: ['job::EExpired'],
    JOB_STATE: ['job::EClosed'],
  },
};

export const expireJob: Actor = {
  kind: 'expireJob',
  weight: 1,
  twists: ['early', 'closed', 'expired'],
  before: { closed: ['closeJob'], expired: ['mint', 'fundJob', 'expireJob'] },
  prepare: ['mint', 'fundJob'],
  attempt({ ledger, random }, twist) {
    const isChosen = ({ state, expiresAtMs }: JobView): boolean => {
      if (twist === 'expired') return state === 'expired';
      if (twist === 'closed') return state === 'succeeded' || state === 'cancelled';
      return state === 'funded' && (twist === null || ledger.nowMs < expiresAtMs);
    };
    const jobs = ledger.all('job').filter(isChosen);
    if (jobs.length === 0) return null;
    const { id: jobId, expiresAtMs } = random.pick(jobs);
    // To the very moment of its end, or to the one before.
    if (twist === null && ledger.nowMs < expiresAtMs) ledger.nowMs = expiresAtMs;
    if (twist === 'early' && random.chance(0.5)) ledger.nowMs = asTimestampMs(expiresAtMs - 1);
    const call = move.call('stage_jobs::expire_job', move.address(STRANGER), move.address(jobId));
    return { sender: STRANGER, action: { kind: 'expireJob', jobId }, call };
  },
  refusals: {
    JOB_EXPIRED: ['job::EExpired'],
    JOB_STATE: ['job::EClosed'],
    'JOB_STATE before its end': ['job::ENotExpired'],
  },
};
