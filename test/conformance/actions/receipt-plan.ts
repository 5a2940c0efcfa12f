import { asAmount, asTimestampMs, type Digest, type Hex32, type JobId, type QuestionId } from '@usufruct/kernel';
import { LIMITS, usesCommitment, type JobView, type PayoutMode, type UsageReceipt, type Use } from '@usufruct/protocol';
import type { Play } from '../play/actor.js';
import { CHAIN, MINUTE_MS, word } from '../play/cast.js';
import { isLivingAsTold } from './living.js';
import { hasSigner, signerOf, type ReceiptSigner } from './receipt-signer.js';
import { chooseUses } from './uses.js';

export const USES_SALT = word('uses salt');

export interface ReceiptPlan {
  readonly job: JobView;
  readonly signer: ReceiptSigner;
  readonly issuedAtMs: number;
  readonly uses: Use[];
}

/** A job, a signer, a time and uses that go together, but for what the twist says; private receipts name no uses. */
export function planOf(play: Play, mode: PayoutMode, twist: string | null): ReceiptPlan | null {
  const job = jobOf(play, mode, twist);
  const issuedAtMs = job && issuedAt(play, job, twist);
  if (job === null || issuedAtMs === null) return null;
  const chosen = mode === 'epoch' ? { uses: [], issuedAtMs } : chooseUses(play, { job, issuedAtMs }, twist);
  const signer = chosen && signerOf(play, job, chosen.issuedAtMs, twist);
  return chosen && signer && { job, signer, ...chosen };
}

function jobOf(play: Play, mode: PayoutMode, twist: string | null): JobView | null {
  const { ledger, random } = play;
  const isChosen = ({ state, expiresAtMs, questionsSettled }: JobView): boolean => {
    if (twist === 'again') return questionsSettled > 0;
    if (twist === 'closed') return state === 'cancelled' || state === 'succeeded';
    if (twist === 'expired') return state === 'expired';
    return state === 'funded' && expiresAtMs + LIMITS.receiptFreshnessMs > ledger.nowMs;
  };
  const isWanted = (job: JobView): boolean =>
    (job.payoutMode === mode) === (twist !== 'mode') &&
    hasSigner(play, job, twist) &&
    isLivingAsTold(play, job.datasetId, twist);
  return random.mostly(ledger.all('job').filter(isWanted), isChosen, twist === null ? 0.97 : 1);
}

/** Mostly now; sometimes at the very edge of what is accepted, or of what something else still covers. */
function issuedAt({ ledger, random }: Play, job: JobView, twist: string | null): number | null {
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
      ledger.nowMs = asTimestampMs(Math.max(nowMs, job.expiresAtMs));
      return job.expiresAtMs;
    case 'runner expired':
      return whenRunnerExpires({ ledger }, job);
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

/** The end of a registration within the job's term, or now where that has passed; null where there is none. */
function whenRunnerExpires({ ledger }: Pick<Play, 'ledger'>, job: JobView): number | null {
  const { nowMs } = ledger;
  const ends = ledger.all('runner').flatMap((one) => (one.daoId === job.daoId ? [one.expiresAtMs] : []));
  const times = ends.map((endMs) => Math.max(endMs, nowMs)).filter((atMs) => atMs < job.expiresAtMs);
  if (times.length === 0) return null;
  ledger.nowMs = asTimestampMs(Math.min(...times));
  return ledger.nowMs;
}

export function receiptOf({ ledger, random }: Play, plan: ReceiptPlan, twist: string | null): UsageReceipt | null {
  const { job, signer, issuedAtMs, uses } = plan;
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
    price: { priceUnits: asAmount(charged + 1n), budgetSpentMicroEpsilon: 0n },
    commitment: { usesCommitment: word<Digest>('other uses') },
    budget: { budgetSpentMicroEpsilon: budgetLeft(ledger, uses) + 1n },
  };
  return {
    chainId: CHAIN.chainId,
    packageId: CHAIN.packageId,
    registryId: CHAIN.registryId,
    jobId: job.id,
    questionId: (fresh ?? word('question')) as Hex32 as QuestionId,
    signerKind: signer.signerKind,
    signerPublicKey: signer.signerPublicKey,
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
