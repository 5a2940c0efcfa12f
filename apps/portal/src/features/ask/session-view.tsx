import { purposeLabel } from '@usufruct/consent';
import { fromWire, type JobId } from '@usufruct/kernel';
import type { JobView } from '@usufruct/protocol';
import type { JobProgress, JobSession } from '@usufruct/sdk';
import { useEffect, useMemo } from 'react';
import { formatAmount, formatTime } from '../../app/format.js';
import { usePortal } from '../../app/portal.js';
import { routeTo } from '../../app/route.js';
import { useLoaded, useTask, type Loaded } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import { Button } from '../../ui/button.js';
import { Chip, Facts, Loading, Notice, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { JOB_STATE } from '../../ui/status.js';
import { AttestationPanel } from './attestation-panel.js';
import { LeftOut } from './left-out.js';
import { Questions } from './questions.js';

const POLL_MS = 1_000;
/** States that may change by themselves, soon. */
const ON_THE_WAY: readonly JobProgress['state'][] = ['quoted', 'funded', 'queued', 'attesting', 'provisioning'];

interface Session {
  readonly progress: JobProgress;
  /** The money, from the chain itself. */
  readonly chain: JobView;
}

export function SessionView({ account, coin, jobId }: Acting & { readonly jobId: JobId }) {
  const session = useMemo(() => account.client.jobs.session(jobId), [account.client, jobId]);
  const loaded = useSession(session);
  const { data, error, reload } = loaded;
  if (data === undefined) {
    return error === undefined ? <Loading what="the session" /> : <Refusal error={error} onRetry={reload} />;
  }
  const state = stateOf(data);
  const isReady = state === 'running' || state === 'settling';
  return (
    <div className="stack">
      <SessionPanel account={account} coin={coin} session={session} data={data} onChanged={reload} />
      <Refusal error={error} onRetry={reload} />
      {ON_THE_WAY.includes(state) && (
        <Notice>
          <p className="row">
            <span className="spinner" aria-hidden="true" /> {JOB_STATE[state].words}: the runner proves itself to the
            key holders, collects key shares, and reads the documents inside.
          </p>
        </Notice>
      )}
      {isReady && <AttestationPanel session={session} />}
      <Questions account={account} coin={coin} session={session} canAsk={isReady} onAnswered={reload} />
    </div>
  );
}

/** The chain knows the end of a session before the API has heard of it; progress in between is the API’s to tell. */
const stateOf = ({ chain, progress }: Session): JobProgress['state'] =>
  chain.state === 'funded' ? progress.state : chain.state;

function useSession(session: JobSession): Loaded<Session> {
  const loaded = useLoaded(session.jobId, async () => {
    const [progress, chain] = await Promise.all([session.progress(), session.onChain()]);
    return { progress, chain };
  });
  const { data, reload } = loaded;
  const isOnTheWay = data !== undefined && ON_THE_WAY.includes(stateOf(data));
  useEffect(() => {
    if (!isOnTheWay) return;
    const timer = setInterval(reload, POLL_MS);
    return () => clearInterval(timer);
  }, [isOnTheWay, reload]);
  return loaded;
}

interface SessionPanelProps extends Acting {
  readonly session: JobSession;
  readonly data: Session;
  readonly onChanged: () => void;
}

function SessionPanel({ coin, session, data, onChanged }: SessionPanelProps) {
  const { moneyMoved } = usePortal();
  const { progress, chain } = data;
  const close = useTask(async () => {
    await session.close();
    moneyMoved();
    onChanged();
  });
  const state = stateOf(data);
  const { words, tone } = JOB_STATE[state];
  return (
    <Panel
      title="Session"
      actions={
        <span className="row" data-testid="session-state" data-state={state}>
          <Chip tone={tone}>{words}</Chip>
        </span>
      }
    >
      <Facts
        entries={[
          ['Purpose', purposeLabel(progress.purpose)],
          ['Documents', progress.documents === null ? 'not read yet' : `${progress.documents} read for this session`],
          ['Left out', <LeftOut key="left-out" leftOut={progress.leftOut} />],
          ['Answered', `${chain.questionsSettled} of ${chain.maxQuestions}`],
          ['Still locked', formatAmount(chain.escrowUnits, coin)],
          ['Ends', formatTime(chain.expiresAtMs)],
        ]}
      />
      {progress.error !== null && <Refusal error={errorOf(progress.error)} />}
      <Refusal error={close.error} />
      <div className="row">
        {chain.state === 'funded' ? (
          <Button small busy={close.busy} onClick={() => void close.run()}>
            Close and take back the rest
          </Button>
        ) : (
          <a className="button small" href={routeTo('ask', { dataset: chain.datasetId })}>
            Begin another session
          </a>
        )}
      </div>
    </Panel>
  );
}

const errorOf = ({ code, details }: NonNullable<JobProgress['error']>) =>
  fromWire({ code, details: Object.fromEntries(details.map(({ key, value }) => [key, value])) }, 'runner');
