import { digestOf } from '@usufruct/crypto';
import { equalBytes, fromBase64, UsufructError, type JobId } from '@usufruct/kernel';
import type { ClientContext } from '../context.js';
import { collectRefusal, refusalOf, verifyRefusal, type RefusalEvidence } from '../receipt/refusal.js';
import { QUESTION } from './operations.js';
import type { QuestionRecord } from './question-record.js';

/**
 * Ask for what the runner has signed about a refusal, and tell it if it is good: of this question as it was sealed, by
 * this code, by a runner that was attested for it. Never throws: there may be none, and what matters is the refusal.
 */
export async function tellRefusal(
  context: ClientContext,
  jobId: JobId,
  { questionId, attempts }: QuestionRecord,
  cause: unknown,
  tell: (evidence: RefusalEvidence) => void,
): Promise<void> {
  if (!(cause instanceof UsufructError) || cause.entry.retry === 'later') return;
  try {
    const { question } = await context.api.request(QUESTION, { jobId, questionId });
    if (question?.state !== 'failed' || question.receipt === null || question.signature === null) return;
    const { receipt: refusal, signature } = question;
    const parsed = refusalOf(refusal);
    const isOurs = attempts.some(
      ({ runnerSigningKey, sealedQuestion }) =>
        parsed !== null &&
        equalBytes(fromBase64(runnerSigningKey), parsed.signerPublicKey) &&
        parsed.sealedQuestionSha256 === digestOf(fromBase64(sealedQuestion)),
    );
    if (!isOurs || parsed?.code !== cause.code || parsed.questionId !== questionId) return;
    const evidence = await collectRefusal(context, { refusal, signature });
    const { ok } = await verifyRefusal(evidence);
    if (ok) tell(evidence);
  } catch {
    return;
  }
}
