import {
  asAmount,
  asTimestampMs,
  fromBase64,
  type Digest,
  type Hex32,
  type JobId,
  type QuestionId,
} from '@usufruct/kernel';
import {
  LIMITS,
  usesCommitment,
  type JobView,
  type PayoutMode,
  type RunnerView,
  type UsageReceipt,
  type Use,
} from '@usufruct/protocol';
import type { Play } from '../play/actor.js';
import { CHAIN, MINUTE_MS, word, wordBytes } from '../play/cast.js';
import { chooseUses } from './uses.js';

export const USES_SALT = word('uses salt');

export interface ReceiptPlan {
  readonly job: JobView;
  readonly runner: RunnerView;
  readonly issuedAtMs: number;
  readonly uses: Use[];
}

/** A job, a runner, a time and uses that go together, but for what the twist says; private receipts name no uses. */
export function planOf(play: Play, mode: PayoutMode, twist: string | null): ReceiptPlan | null {
  const { ledger, random } = play;
  const job = jobOf(play, mode, twist);
  if (job === null) return null;
  const issuedAtMs = issuedAt(play, job, twist);
  const chosen = mode === 'epoch' ? { uses: [], issuedAtMs } : chooseUses(play, { job, issuedAtMs }, twist);
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

function jobOf({ ledger, random }: Play, mode: PayoutMode, twist: string | null): JobView | null {
  const isChosen = ({ state, expiresAtMs, questionsSettled }: JobView): boolean => {
    if (twist === 'again') return questionsSettled > 0;
    if (twist === 'closed') return state === 'cancelled' || state === 'succeeded';
    return state === 'funded' && expiresAtMs + LIMITS.receiptFreshnessMs > ledger.nowMs;
  };
  const isWanted = ({ protection, payoutMode }: JobView): boolean =>
    protection === 'tee' && (payoutMode === mode) === (twist !== 'mode');
  const ofRunners = ledger.all('job').filter(isWanted);
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

export function receiptOf({ ledger, random }: Play, plan: ReceiptPlan, twist: string | null): UsageReceipt | null {
  const { job, runner, issuedAtMs, uses } = plan;
  const consumed = ledger.entries('receipt').flatMap(([key]) => (key.startsWith(job.id) ? [key.split('/')[1]!] : []));
  if (twist === 'again' && consumed.length === 0) return null;
  const fresh = Array.from({ length: 8 }, (_, i) => word(`question ${i}`)).find((id) => !consumed.includes(id));
  const isCharged = job.payoutMode === 'epoch' ? random.chance(0.85) : uses.length > 0;
  const charged = isCharged ? job.pricePerQuestionUnits : 0n;
  if (twist === 'price' && charged !== job.pricePerQuestionUnits) return null;
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
  const left = (grant?.terms.budgetMicroEpsilon ?? 0n) - (spent ?? 0n);
  return left > 0n ? left : 0n;
}
