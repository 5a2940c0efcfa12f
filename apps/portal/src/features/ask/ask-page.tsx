import { asId, isHex32, type JobId } from '@usufruct/kernel';
import { useRoute } from '../../app/route.js';
import { WithAccount } from '../../app/with-account.js';
import { PageHead } from '../../ui/layout.js';
import { FundSession } from './fund-session.js';
import { SessionView } from './session-view.js';

export function AskPage() {
  const { query } = useRoute();
  const job = query.get('job');
  return (
    <>
      <PageHead title="Ask">
        Your question is encrypted to code that has proven, to this browser, what it is. It answers from the documents
        whose owners allow your purpose, says where each sentence comes from, and pays them.
      </PageHead>
      <WithAccount>
        {(acting) =>
          isHex32(job) ? (
            <SessionView key={job} {...acting} jobId={asId<JobId>(job, 'job')} />
          ) : (
            <FundSession {...acting} named={query.get('dataset')} />
          )
        }
      </WithAccount>
    </>
  );
}
