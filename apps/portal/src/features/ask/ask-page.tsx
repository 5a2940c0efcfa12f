import { asId, isHex32, type JobId } from '@usufruct/kernel';
import { useRoute } from '../../app/route.js';
import { WithAccount, type Acting } from '../../app/with-account.js';
import { useDatasets } from '../../data/use-catalogue.js';
import { Empty, Loading, PageHead } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { FundSession } from './fund-session.js';
import { SessionView } from './session-view.js';
import { AskSeveral } from './several/ask-several.js';

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
            <Begin {...acting} named={query.get('dataset')} />
          )
        }
      </WithAccount>
    </>
  );
}

function Begin({ account, coin, named }: Acting & { readonly named: string | null }) {
  const { data: datasets, error, reload } = useDatasets(account.client);
  if (error !== undefined) return <Refusal error={error} onRetry={reload} />;
  if (datasets === undefined) return <Loading what="datasets" />;
  if (datasets.length === 0) return <Empty>There is no dataset to ask yet.</Empty>;
  return (
    <div className="stack">
      <FundSession account={account} coin={coin} datasets={datasets} named={named} />
      {datasets.length > 1 && <AskSeveral key={account.address} account={account} coin={coin} datasets={datasets} />}
    </div>
  );
}
