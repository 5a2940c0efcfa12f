import {
  checkThat,
  ERROR_CODES,
  failed,
  fromBase64,
  passed,
  refuse,
  skipped,
  verdictOf,
  type Check,
  type Digest,
  type RunnerId,
  type Verdict,
} from '@usufruct/kernel';
import {
  decodeRefusal,
  NO_EVIDENCE,
  runnerIdOf,
  TAGS,
  zBase64,
  zChainInfo,
  zHex32,
  zJobView,
  zRunnerView,
  type RefusalReceipt,
} from '@usufruct/protocol';
import { z } from 'zod';
import type { ClientContext } from '../context.js';
import { orNull } from '../create.js';
import { checkIds, checkRunner, checkSignature } from './signer-checks.js';

/** Everything that a signed refusal is judged by, as JSON; with it `verifyRefusal` needs no network. */
export const zRefusalEvidence = z.object({
  refusal: zBase64(1024),
  signature: zBase64(64),
  chain: zChainInfo,
  job: zJobView,
  runner: zRunnerView.nullable(),
  /** What the chain has settled for this question; null while it has nothing. */
  settledReceipt: zHex32<Digest>().nullable(),
});
export type RefusalEvidence = z.output<typeof zRefusalEvidence>;

/** Every check, in the order in which it is made. */
export const REFUSAL_CHECKS = [
  'ENCODING',
  'SIGNATURE',
  'RUNNER_REGISTERED',
  'EVIDENCE',
  'CHAIN',
  'PACKAGE',
  'REGISTRY',
  'JOB',
  'CODE',
  'PRICE',
  'NOT_CHARGED',
] as const;
export type RefusalCheck = (typeof REFUSAL_CHECKS)[number];

/**
 * Verify a signed refusal against what the chain says. Needs no network. A failed check is data and never thrown.
 *
 * It proves that a registered runner refused exactly this question of this job by this code, and charged nothing for
 * that. It does not prove that the refusal was right, nor (offline) that the views came from the chain.
 */
export async function verifyRefusal(evidence: RefusalEvidence): Promise<Verdict> {
  const refusal = refusalOf(evidence.refusal);
  if (refusal === null) {
    const rest = REFUSAL_CHECKS.slice(1).map((name) => skipped(name, 'the refusal could not be parsed'));
    return verdictOf([failed('ENCODING', 'not a canonical refusal'), ...rest]);
  }
  const { signature } = evidence;
  return verdictOf([
    passed('ENCODING'),
    await checkSignature(refusal, { signed: evidence.refusal, signature, domainTag: TAGS.refusalReceipt }),
    checkRunner('refusal', refusal, evidence),
    checkEvidence(refusal),
    ...checkIds(refusal, evidence),
    checkThat(
      'CODE',
      (ERROR_CODES as readonly string[]).includes(refusal.code),
      'no code of the catalogue',
      refusal.code,
    ),
    checkThat('PRICE', refusal.priceUnits === 0n, 'a refusal that costs something'),
    evidence.settledReceipt === null
      ? passed('NOT_CHARGED', 'the chain has settled nothing for this question')
      : skipped('NOT_CHARGED', 'the chain has settled a receipt for this question: it was answered another time'),
  ]);
}

/** Null for what is no refusal. */
export function refusalOf(base64: string): RefusalReceipt | null {
  try {
    return decodeRefusal(fromBase64(base64));
  } catch {
    return null;
  }
}

function checkEvidence({ evidenceDigest }: RefusalReceipt): Check {
  const name: RefusalCheck = 'EVIDENCE';
  if (evidenceDigest !== NO_EVIDENCE) return passed(name, `digest ${evidenceDigest.slice(0, 18)}…`);
  return skipped(name, 'it was refused before any key was released');
}

/** Read from the chain what `verifyRefusal` needs. Refuses `RECEIPT_INVALID` for bytes that are no refusal. */
export async function collectRefusal(
  { chain }: Pick<ClientContext, 'chain'>,
  given: { readonly refusal: string; readonly signature: string },
): Promise<RefusalEvidence> {
  const parsed = refusalOf(given.refusal);
  if (parsed === null) throw refuse('RECEIPT_INVALID', { check: 'ENCODING' });
  const job = await chain.job(parsed.jobId);
  return {
    ...given,
    chain: await chain.info(),
    job,
    runner: await orNull(chain.runner(job.daoId, runnerIdOf<RunnerId>(parsed.signerPublicKey))),
    settledReceipt: await chain.settledReceipt(parsed.jobId, parsed.questionId),
  };
}
