import { formatBytes } from '../../app/format.js';
import type { ContributionView } from '@usufruct/protocol';
import type { ActiveAccount } from '../../app/portal.js';
import { useLoaded, useTask } from '../../app/use-task.js';
import { titleOf, type DatasetCard } from '../../data/catalogue.js';
import { Button } from '../../ui/button.js';
import { Id } from '../../ui/id.js';
import { Chip, Empty } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { KeyModes } from '../datasets/key-modes.js';
import { CONTRIBUTION_STATE } from '../../ui/status.js';

interface DecisionsProps {
  readonly account: ActiveAccount;
  /** Stewards decide; the other members see what waits. */
  readonly mayDecide: boolean;
  readonly dataset: DatasetCard;
}

/** Contributions to one dataset, those that wait for a decision first. */
export function Decisions({ account, mayDecide, dataset }: DecisionsProps) {
  const { datasetId } = dataset;
  // From the chain itself, in order of registration.
  const contributions = useLoaded(datasetId, () => account.client.chain.contributionsOf(datasetId));
  const sorted = contributions.data?.toSorted((a, b) => rankOf(a) - rankOf(b));
  return (
    <section className="stack tight" aria-label={titleOf(dataset, 'Untitled dataset')}>
      <div className="row apart">
        <h3>{titleOf(dataset, 'Untitled dataset')}</h3>
        <Button small onClick={contributions.reload}>
          Look for contributions
        </Button>
      </div>
      <Refusal error={contributions.error} onRetry={contributions.reload} />
      <p className="hint">
        <KeyModes account={account} datasetId={datasetId} />
      </p>
      {sorted?.length === 0 && <Empty>Nobody has contributed to this dataset yet.</Empty>}
      <ul className="list">
        {sorted?.map((contribution) => (
          <Decision
            key={contribution.id}
            account={account}
            mayDecide={mayDecide}
            contribution={contribution}
            onDecided={contributions.reload}
          />
        ))}
      </ul>
    </section>
  );
}

const rankOf = ({ state }: ContributionView): number => (state === 'proposed' ? 0 : 1);

interface DecisionProps {
  readonly account: ActiveAccount;
  readonly mayDecide: boolean;
  readonly contribution: ContributionView;
  readonly onDecided: () => void;
}

function Decision({ account, mayDecide, contribution, onDecided }: DecisionProps) {
  const { id, owner, state, parts } = contribution;
  const { datasets } = account.client;
  const decide = useTask(async (accept: boolean) => {
    await (accept ? datasets.accept(id) : datasets.decline(id));
    onDecided();
  });
  const sizeBytes = parts.reduce((total, part) => total + part.sizeBytes, 0);
  return (
    <li className="item" data-contribution={id} data-state={state}>
      <div className="row apart">
        <span className="row">
          <Id value={id} what="contribution id" />
          <span className="hint">
            {formatBytes(sizeBytes)} from <Id value={owner} what="address of the contributor" />
          </span>
        </span>
        {state === 'proposed' && mayDecide ? (
          <span className="row">
            <Button small look="primary" busy={decide.busy} onClick={() => void decide.run(true)}>
              Accept
            </Button>
            <Button small look="danger" disabled={decide.busy} onClick={() => void decide.run(false)}>
              Decline
            </Button>
          </span>
        ) : (
          <Chip tone={CONTRIBUTION_STATE[state].tone}>{CONTRIBUTION_STATE[state].words}</Chip>
        )}
      </div>
      <Refusal error={decide.error} />
    </li>
  );
}
