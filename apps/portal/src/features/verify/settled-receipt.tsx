import { asId, type JobId, type QuestionId } from '@usufruct/kernel';
import { verifyReceipt } from '@usufruct/sdk';
import { useLoaded } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import { Loading } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { Judged } from './judged.js';

interface SettledReceiptProps extends Acting {
  readonly job: string;
  readonly question: string;
}

/** A receipt that concerns the account: the signed bytes from the API, and all that they are judged by from the chain. */
export function SettledReceipt({ account, job, question }: SettledReceiptProps) {
  const judged = useLoaded(`${job}/${question}`, async () => {
    const jobId = asId<JobId>(job, 'session');
    const questionId = asId<QuestionId>(question, 'question');
    const evidence = await account.client.receipts.collectSettled(jobId, questionId);
    return { evidence, verdict: await verifyReceipt(evidence) };
  });
  if (judged.error !== undefined) return <Refusal error={judged.error} onRetry={judged.reload} />;
  if (judged.data === undefined) return <Loading what="the receipt" />;
  return (
    <Judged {...judged.data}>
      The signed receipt came from the API; everything that it was judged by was read from the chain just now. Only who
      asked can also check the answer against it.
    </Judged>
  );
}
