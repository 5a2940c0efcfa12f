import { purposeLabel } from '@usufruct/consent';
import type { ContributionId } from '@usufruct/kernel';
import { explainKeyMode, type Activity, type HolderReleases } from '@usufruct/sdk';
import type { PortalClient } from '../../app/client.js';
import { formatTime, type Coin } from '../../app/format.js';
import { useTask } from '../../app/use-task.js';
import { useState } from 'react';
import { Button } from '../../ui/button.js';
import { Checks } from '../../ui/checks.js';
import { Id } from '../../ui/id.js';
import { Empty, Notice } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { KIND_WORDS } from '../../ui/status.js';
import { LOG_MEANINGS } from '../verify/check-meanings.js';
import { DatasetEntries } from './dataset-entries.js';
import { decisionWords } from './decision-words.js';
import { Uses } from './uses.js';

interface ReleaseLogProps {
  readonly client: PortalClient;
  readonly coin: Coin;
  readonly contributionId: ContributionId;
}

/** Each key holder's own signed log: who asked for the key, for what, and what it answered; and what was used and paid. */
export function ReleaseLog({ client, coin, contributionId }: ReleaseLogProps) {
  const [activity, setActivity] = useState<Activity>();
  const ask = useTask(async () => setActivity(await client.contributions.activity(contributionId)));
  return (
    <div className="stack" data-testid="release-log">
      <p className="hint">
        Every key holder keeps a log that it cannot change unnoticed. Only you can read the entries of your
        contribution, so your wallet signs the request.
      </p>
      <div>
        <Button small busy={ask.busy} onClick={() => void ask.run()}>
          Ask the key holders
        </Button>
      </div>
      <Refusal error={ask.error} />
      {activity !== undefined && activity.keyMode !== 'holders' && (
        <Notice tone="warn">
          <p>
            {explainKeyMode(activity.keyMode)}.
            {activity.keyMode === 'seal' && ' So the logs below say nothing about who was given it.'}
          </p>
        </Notice>
      )}
      {activity?.holders.map((log) => (
        <HolderLog key={log.member} log={log} />
      ))}
      {activity !== undefined && <Uses activity={activity} coin={coin} />}
      {activity !== undefined && (
        <p className="hint">
          Key holders that conspire could release a key without writing it down. That is why they are independent of
          each other, and why several are needed.
        </p>
      )}
    </div>
  );
}

function HolderLog({ log }: { readonly log: HolderReleases }) {
  const name = `Key holder ${log.member + 1}`;
  if (log.error !== null) {
    return (
      <Notice tone="warn">
        <p>
          <strong>{name}</strong> did not answer: {log.error.message}.
        </p>
      </Notice>
    );
  }
  return (
    <section className="stack tight" aria-label={name}>
      <h3>{name}</h3>
      {log.entries.length === 0 ? (
        <Empty>Nobody has asked this holder for the key.</Empty>
      ) : (
        <div className="table-wrap">
          <table className="cards">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Answer</th>
                <th scope="col">For</th>
                <th scope="col">Session</th>
                <th scope="col">Code that asked</th>
              </tr>
            </thead>
            <tbody>
              {log.entries.map((entry) => (
                <tr key={`${entry.jobId}/${entry.atMs}/${entry.decision}`} data-decision={entry.decision}>
                  <td data-label="When">{formatTime(entry.atMs)}</td>
                  <td data-label="Answer">{decisionWords(entry.decision)}</td>
                  <td data-label="For">
                    {purposeLabel(entry.purpose)}, {KIND_WORDS[entry.kind]}
                  </td>
                  <td data-label="Session">
                    <Id value={entry.jobId} what="session id" />
                  </td>
                  <td data-label="Code">
                    <Id value={entry.measurement} what="measurement" />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <DatasetEntries entries={log.datasetEntries} />
      <details>
        <summary>
          {log.verdict.ok ? 'The log is signed, and these entries are in it' : 'The log does not check out'}
        </summary>
        <Checks
          caption={`Checks of the log of ${name.toLowerCase()}`}
          checks={log.verdict.checks}
          meanings={LOG_MEANINGS}
        />
      </details>
    </section>
  );
}
