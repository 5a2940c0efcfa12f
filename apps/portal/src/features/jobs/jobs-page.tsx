import { purposeLabel } from '@usufruct/consent';
import { formatAmount, formatTime, shortId } from '../../app/format.js';
import { usePortal } from '../../app/portal.js';
import { routeTo } from '../../app/route.js';
import { useLoaded, useTask } from '../../app/use-task.js';
import { WithAccount, type Acting } from '../../app/with-account.js';
import { JOBS, type JobCard } from '../../data/jobs.js';
import { readAll } from '../../data/page.js';
import { Button } from '../../ui/button.js';
import { Chip, Empty, Facts, Loading, PageHead, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { JOB_STATE } from '../../ui/status.js';

export function JobsPage() {
  return (
    <>
      <PageHead title="Sessions">
        A session locks the price of its questions on the chain. Each answer takes its price from there; what is left
        comes back when you close the session.
      </PageHead>
      <WithAccount>{(acting) => <Jobs {...acting} />}</WithAccount>
    </>
  );
}

function Jobs(acting: Acting) {
  const { account } = acting;
  const jobs = useLoaded('jobs', () =>
    readAll(async (after) => (await account.client.api.request(JOBS, { after })).jobs),
  );
  if (jobs.error !== undefined) return <Refusal error={jobs.error} onRetry={jobs.reload} />;
  if (jobs.data === undefined) return <Loading what="your sessions" />;
  if (jobs.data.length === 0) {
    return (
      <Empty>
        You have not asked anything yet. <a href={routeTo('ask')}>Ask a question.</a>
      </Empty>
    );
  }
  return (
    <div className="stack">
      {jobs.data.map((job) => (
        <JobPanel key={job.jobId} {...acting} job={job} onChanged={jobs.reload} />
      ))}
    </div>
  );
}

interface JobPanelProps extends Acting {
  readonly job: JobCard;
  readonly onChanged: () => void;
}

/** States in which the escrow is still locked. */
const OPEN: readonly JobCard['state'][] = [
  'funded',
  'queued',
  'attesting',
  'provisioning',
  'running',
  'egress_review',
  'settling',
  'failed',
];

function JobPanel({ job, account, coin, onChanged }: JobPanelProps) {
  const { moneyMoved } = usePortal();
  const { words, tone } = JOB_STATE[job.state];
  const close = useTask(async () => {
    await account.client.jobs.session(job.jobId).close();
    moneyMoved();
    onChanged();
  });
  const isOpen = OPEN.includes(job.state) && job.escrowUnits > 0n;
  return (
    <Panel title={job.dataset.title ?? shortId(job.datasetId)} actions={<Chip tone={tone}>{words}</Chip>}>
      <Facts
        entries={[
          ['Purpose', purposeLabel(job.purpose)],
          ['Questions', `${job.questionsSettled} of ${job.maxQuestions} answered and paid`],
          ['Price of each', formatAmount(job.pricePerQuestionUnits, coin)],
          ['Still locked', formatAmount(job.escrowUnits, coin)],
          ...(job.refundUnits === null ? [] : [['Came back', formatAmount(job.refundUnits, coin)] as const]),
          ...(job.fundedAtMs === null ? [] : [['Funded', formatTime(job.fundedAtMs)] as const]),
          ...(job.expiresAtMs === null || !isOpen ? [] : [['Ends', formatTime(job.expiresAtMs)] as const]),
        ]}
      />
      <Refusal error={close.error} />
      <div className="row">
        <a className="button small" href={routeTo('ask', { job: job.jobId })}>
          Open
        </a>
        {isOpen && (
          <Button small busy={close.busy} onClick={() => void close.run()}>
            Close and take back the rest
          </Button>
        )}
      </div>
    </Panel>
  );
}
