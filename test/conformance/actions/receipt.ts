import { sign } from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  fromBase64,
  toHex,
  type Digest,
  type Hex32,
  type JobId,
  type QuestionId,
} from '@usufruct/kernel';
import {
  LIMITS,
  TAGS,
  UsageReceiptBcs,
  usesCommitment,
  type JobView,
  type RunnerView,
  type UsageReceipt,
  type Use,
} from '@usufruct/protocol';
import type { Actor, Play } from '../play/actor.js';
import { CHAIN, MINUTE_MS, RUNNER_KEYS, STRANGER, word, wordBytes } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { chooseUses, USE_TWISTS } from './uses.js';

const USES_SALT = word('uses salt');
/** What a signature is over, changed so that the receipt is refused. */
const RECEIPT_TWISTS = [
  'malformed',
  'other chain',
  'other package',
  'other registry',
  'other job',
  'again',
  'future',
  'before the job',
  'stale',
  'after the term',
  'signer kind',
  'unknown runner',
  'measurement',
  'profile',
  'closed',
  'price',
];

export const settleReceipt: Actor = {
  kind: 'settleReceipt',
  weight: 8,
  twists: [...RECEIPT_TWISTS, ...USE_TWISTS, 'signature', 'commitment', 'paused'],
  prepare: ['registerContribution', 'decideContribution', 'giveGrant', 'registerRunner', 'mint', 'fundJob'],
  before: {
    budget: ['settleReceipt', 'settleReceipt'],
    paused: ['mint', 'fundJob', 'registerRunner', 'pauseDao'],
    purpose: ['giveGrant', 'giveGrant'],
    protection: ['giveGrant', 'giveGrant'],
    computation: ['giveGrant', 'giveGrant'],
    floor: ['giveGrant', 'giveGrant'],
    again: ['settleReceipt'],
    closed: ['closeJob'],
    measurement: ['setPolicy'],
    profile: ['setPolicy'],
    revoked: ['revokeGrant'],
    'not accepted': ['registerContribution', 'giveGrant'],
    'other dataset': ['createDataset', 'registerContribution', 'giveGrant'],
  },
  async attempt(play, twist) {
    const plan = planOf(play, twist);
    if (plan === null) return null;
    const { job, uses } = plan;
    const fields = receiptOf(play, plan, twist);
    if (fields === null) return null;
    const encoded = UsageReceiptBcs.serialize(fields).toBytes();
    const receipt = twist === 'malformed' ? Uint8Array.of(...encoded, 0) : encoded;
    const known = RUNNER_KEYS.find(({ publicKey }) => toHex(publicKey) === toHex(fields.signerPublicKey));
    const secretKey = twist === 'signature' || known === undefined ? wordBytes('nobody') : known.secretKey;
    const signature = await sign({ secretKey, domainTag: TAGS.receipt, message: receipt });
    const call = move.call(
      'settle_receipt',
      ...[STRANGER, job.daoId, job.datasetId, job.id].map(move.address),
      move.bytes(receipt),
      move.bytes(signature),
      move.address(USES_SALT),
      move.list(uses.map(({ contributionId }) => move.address(contributionId))),
      move.list(uses.map(({ grantId }) => move.address(grantId))),
      move.list(uses.map(({ weight }) => move.number(weight))),
    );
    return { sender: STRANGER, action: { kind: 'settleReceipt', receipt, signature, usesSalt: USES_SALT, uses }, call };
  },
  refusals: {
    'RECEIPT_INVALID encoding': ['usage_receipt::EReceiptMalformed'],
    'RECEIPT_INVALID chainId': ['usage_receipt::EReceiptElsewhere'],
    'RECEIPT_INVALID packageId': ['usage_receipt::EReceiptElsewhere'],
    'RECEIPT_INVALID registryId': ['usage_receipt::EReceiptElsewhere'],
    DAO_PAUSED: ['data_dao::EPaused'],
    'NOT_FOUND job': ['usage_receipt::EWrongJob'],
    RECEIPT_CONSUMED: ['job::EReceiptConsumed'],
    JOB_EXPIRED: ['job::EExpired'],
    JOB_STATE: ['job::EClosed'],
    'RECEIPT_INVALID issuedAtMs': ['usage_receipt::EReceiptTime'],
    'RECEIPT_INVALID freshness': ['usage_receipt::EReceiptStale'],
    'RECEIPT_INVALID signerKind': ['usage_receipt::ESignerKind'],
    'RUNNER_NOT_REGISTERED registered': ['runner_registry::ENotRegistered'],
    'RUNNER_NOT_REGISTERED expired': ['runner_registry::ERegistrationExpired'],
    'RUNNER_NOT_REGISTERED measurement': ['runner_registry::EMeasurementRefused'],
    'RUNNER_NOT_REGISTERED profile': ['runner_registry::EProfileRefused'],
    'RECEIPT_INVALID signature': ['usage_receipt::EReceiptSignature'],
    'RECEIPT_INVALID count': ['data_use::EUseLists'],
    'RECEIPT_INVALID uses': ['data_use::EUsesCommitment'],
    'RECEIPT_INVALID order': ['data_use::EUsesOrder'],
    'RECEIPT_INVALID weights': ['data_use::EUsesWeight'],
    // The contracts look for contributions inside the job's dataset only.
    'NOT_FOUND contribution': ['contribution::ENoContribution'],
    DATASET_MISMATCH: ['contribution::ENoContribution'],
    CONTRIBUTION_NOT_ACCEPTED: ['grant::ENotAccepted'],
    GRANT_REQUIRED: ['grant::EGrantRequired'],
    GRANT_REVOKED: ['grant::ERevoked'],
    GRANT_EXPIRED: ['grant::EExpired'],
    PURPOSE_DENIED: ['grant_terms::EPurposeDenied'],
    'SCOPE_MISMATCH kind': ['grant_terms::EKindDenied'],
    'SCOPE_MISMATCH protection': ['grant_terms::EProtectionDenied'],
    PRICE_BELOW_FLOOR: ['grant_terms::EPriceBelowFloor'],
    BUDGET_EXHAUSTED: ['grant::EBudgetExhausted'],
    'RECEIPT_INVALID price': ['usage_receipt::EPrice'],
  },
};

interface Plan {
  readonly job: JobView;
  readonly runner: RunnerView;
  readonly issuedAtMs: number;
  readonly uses: Use[];
}

function planOf(play: Play, twist: string | null): Plan | null {
  const { ledger, random } = play;
  const job = jobOf(play, twist);
  if (job === null) return null;
  const chosen = chooseUses(play, { job, issuedAtMs: issuedAt(play, job, twist) }, twist);
  if (chosen === null) return null;
  const { appraisal } = ledger.read('dao', job.daoId)!.policy;
  const isChosen = ({ daoId, expiresAtMs, measurement, profile }: RunnerView): boolean => {
    const [measured, profiled] = [
      appraisal.measurements.includes(measurement),
      appraisal.profiles.some((one) => one === profile),
    ];
    const asWanted = twist === 'measurement' ? !measured : measured && profiled === (twist !== 'profile');
    return daoId === job.daoId && expiresAtMs > chosen.issuedAtMs && asWanted;
  };
  const runner = random.mostly(ledger.all('runner'), isChosen, twist === null ? 0.95 : 1);
  return runner && { job, runner, ...chosen };
}

function jobOf({ ledger, random }: Play, twist: string | null): JobView | null {
  const isChosen = ({ state, expiresAtMs, questionsSettled }: JobView): boolean => {
    if (twist === 'again') return questionsSettled > 0;
    if (twist === 'closed') return state === 'cancelled' || state === 'succeeded';
    return state === 'funded' && expiresAtMs + LIMITS.receiptFreshnessMs > ledger.nowMs;
  };
  const ofRunners = ledger.all('job').filter((job) => job.protection === 'tee');
  return random.mostly(ofRunners, isChosen, twist === null ? 0.97 : 1);
}

/** Mostly now; sometimes at the very edge of what is accepted, or of what something else still covers. */
function issuedAt({ ledger, random }: Play, job: JobView, twist: string | null): number {
  const { nowMs } = ledger;
  switch (twist) {
    case 'future':
      return nowMs + MINUTE_MS + 1;
    case 'before the job':
      return job.fundedAtMs - MINUTE_MS - 1;
    case 'stale':
      // A receipt that was in time when its job had just begun.
      ledger.nowMs = asTimestampMs(Math.max(nowMs, job.fundedAtMs + LIMITS.receiptFreshnessMs + 1));
      return ledger.nowMs - LIMITS.receiptFreshnessMs - 1;
    case 'after the term':
      return job.expiresAtMs;
  }
  const ends = [
    ...ledger.all('grant').map(({ terms }) => terms.expiresAtMs),
    ...ledger.all('runner').map((r) => r.expiresAtMs),
  ];
  const revoked = ledger.all('grant').flatMap(({ revokedAtMs }) => revokedAtMs ?? []);
  const edges = [
    nowMs + MINUTE_MS,
    job.fundedAtMs - MINUTE_MS,
    nowMs - LIMITS.receiptFreshnessMs,
    ...[...ends, ...revoked].flatMap((endMs) => [endMs - 1, endMs]),
  ];
  const within = (atMs: number): boolean =>
    atMs <= nowMs + MINUTE_MS &&
    atMs >= Math.max(job.fundedAtMs - MINUTE_MS, nowMs - LIMITS.receiptFreshnessMs) &&
    atMs < job.expiresAtMs;
  const usual = Math.min(nowMs, job.expiresAtMs - 1);
  return random.chance(0.6) ? usual : (random.mostly([...edges, usual], within, 1) ?? usual);
}

function receiptOf({ ledger, random }: Play, plan: Plan, twist: string | null): UsageReceipt | null {
  const { job, runner, issuedAtMs, uses } = plan;
  const consumed = ledger.entries('receipt').flatMap(([key]) => (key.startsWith(job.id) ? [key.split('/')[1]!] : []));
  if (twist === 'again' && consumed.length === 0) return null;
  const fresh = Array.from({ length: 8 }, (_, i) => word(`question ${i}`)).find((id) => !consumed.includes(id));
  const charged = uses.length === 0 ? 0n : job.pricePerQuestionUnits;
  if (twist === 'price' && charged === 0n && uses.length > 0) return null;
  const changes: Readonly<Record<string, Partial<UsageReceipt>>> = {
    'other chain': { chainId: 'another chain' },
    'other package': { packageId: word('another package') },
    'other registry': { registryId: word('another registry') },
    'other job': { jobId: word<JobId>('another job') },
    again: { questionId: consumed[0] as QuestionId },
    'signer kind': { signerKind: 'mpc-set' },
    'unknown runner': { signerPublicKey: wordBytes('unknown runner') },
    price: { priceUnits: asAmount(charged + 1n) },
    commitment: { usesCommitment: word<Digest>('other uses') },
    budget: { budgetSpentMicroEpsilon: budgetLeft(ledger, uses) + 1n },
  };
  return {
    chainId: CHAIN.chainId,
    packageId: CHAIN.packageId,
    registryId: CHAIN.registryId,
    jobId: job.id,
    questionId: (fresh ?? word('question')) as Hex32 as QuestionId,
    signerKind: 'tee',
    signerPublicKey: fromBase64(runner.signingPublicKey),
    evidenceDigest: word<Digest>('evidence'),
    codeHash: word<Digest>('code'),
    modelHash: word<Digest>('model'),
    attributionMethod: 'cited-bm25/v1',
    usesCommitment: usesCommitment(USES_SALT, uses),
    resultCommitment: word<Digest>('result'),
    budgetSpentMicroEpsilon: BigInt(random.pick([0, 0, 400, 601])),
    priceUnits: asAmount(charged),
    issuedAtMs: asTimestampMs(issuedAtMs),
    ...changes[twist ?? ''],
  };
}

/** What the first of the uses may still spend. */
function budgetLeft(ledger: Play['ledger'], [first]: readonly Use[]): bigint {
  const grant = first && ledger.read('grant', first.grantId);
  const spent = first && ledger.read('grant-budget', first.grantId)?.spentMicroEpsilon;
  return (grant?.terms.budgetMicroEpsilon ?? 0n) - (spent ?? 0n);
}
