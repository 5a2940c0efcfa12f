import { hasRole, type DaoView, type MemberView } from '@usufruct/protocol';
import { useState, type ReactNode } from 'react';
import { formatAmount, shortId } from '../../app/format.js';
import { useLoaded, useTask } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import { titleOf, type DaoCard, type DatasetCard } from '../../data/catalogue.js';
import { Button } from '../../ui/button.js';
import { Id } from '../../ui/id.js';
import { Facts, Loading, Notice, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { Decisions } from './decisions.js';
import { Members } from './members.js';
import { NewDataset } from './new-dataset.js';
import { PolicyView } from './policy-view.js';
import { Proposals } from './proposals.js';
import { TreasurySpending } from './treasury.js';

interface DaoPanelProps extends Acting {
  readonly dao: DaoCard;
  readonly datasets: readonly DatasetCard[];
  readonly self: MemberView;
  readonly onChanged: () => void;
}

/** One DAO for one of its members. What is shown of it is read from the chain, the titles come from the API. */
export function DaoPanel({ dao: card, datasets, self, account, coin, onChanged }: DaoPanelProps) {
  const { chain } = account.client;
  const state = useLoaded(card.daoId, async () => {
    const dao = await chain.dao(card.daoId);
    return { dao, balanceUnits: await chain.balanceOf(dao.treasury) };
  });
  const reload = () => {
    state.reload();
    onChanged();
  };
  return (
    <Panel
      title={titleOf(card, shortId(card.daoId))}
      lead={card.description ?? undefined}
      actions={
        <Button small onClick={reload}>
          Read again
        </Button>
      }
    >
      <Refusal error={state.error} onRetry={state.reload} />
      {state.data === undefined && state.error === undefined && <Loading what="the DAO" />}
      {state.data !== undefined && (
        <DaoParts
          account={account}
          coin={coin}
          {...state.data}
          datasets={datasets}
          card={card}
          self={self}
          onChanged={reload}
        />
      )}
    </Panel>
  );
}

interface DaoPartsProps extends Acting {
  readonly dao: DaoView;
  readonly balanceUnits: bigint;
  readonly card: DaoCard;
  readonly datasets: readonly DatasetCard[];
  readonly self: MemberView;
  readonly onChanged: () => void;
}

function DaoParts({ dao, balanceUnits, card, datasets, self, onChanged, ...acting }: DaoPartsProps) {
  const { account, coin } = acting;
  const [publishing, setPublishing] = useState(false);
  const isFounder = dao.founder === account.address;
  const done = () => {
    setPublishing(false);
    onChanged();
  };
  return (
    <>
      <Pause {...acting} dao={dao} mayPause={isFounder} onChanged={onChanged} />
      <Facts
        entries={[
          ['DAO', <Id value={dao.id} what="DAO id" />],
          ['Price of a question', formatAmount(dao.policy.pricePerQuestionUnits, coin)],
          ['Treasury', formatAmount(balanceUnits, coin)],
        ]}
      />
      {datasets.map((dataset) => (
        <Decisions key={dataset.datasetId} account={account} mayDecide={hasRole(self, 'steward')} dataset={dataset} />
      ))}
      {isFounder && (publishing || datasets.length === 0) && <NewDataset account={account} dao={card} onDone={done} />}
      {isFounder && !publishing && datasets.length > 0 && (
        <div>
          <Button onClick={() => setPublishing(true)}>Publish another dataset</Button>
        </div>
      )}
      <Proposals {...acting} dao={dao} datasets={datasets} onExecuted={onChanged} />
      <Members {...acting} dao={dao} self={self} onChanged={onChanged} />
      <PolicyView {...acting} dao={dao} />
      <Opened summary="Treasury, and what was spent">
        {() => <TreasurySpending {...acting} dao={dao} balanceUnits={balanceUnits} />}
      </Opened>
    </>
  );
}

/** Its content is made when it is first opened. */
function Opened({ summary, children }: { readonly summary: string; readonly children: () => ReactNode }) {
  const [opened, setOpened] = useState(false);
  return (
    <details onToggle={(event) => event.currentTarget.open && setOpened(true)}>
      <summary>{summary}</summary>
      {opened && children()}
    </details>
  );
}

interface PauseProps extends Acting {
  readonly dao: DaoView;
  readonly mayPause: boolean;
  readonly onChanged: () => void;
}

function Pause({ account, dao, mayPause, onChanged }: PauseProps) {
  const [sure, setSure] = useState(false);
  const pause = useTask(async () => {
    await account.client.daos.pause(dao.id);
    setSure(false);
    onChanged();
  });
  if (dao.paused) {
    return (
      <Notice tone="bad">
        <strong>This DAO is paused.</strong> No session can be funded and nothing is accepted or paid. Sessions can be
        closed, grants revoked, and members can vote. Only a vote ends the pause: propose “End the pause”.
      </Notice>
    );
  }
  if (!mayPause) return null;
  return (
    <div className="stack tight">
      <div className="row">
        {sure ? (
          <>
            <span>Stop everything until the members vote to go on?</span>
            <Button small look="danger" busy={pause.busy} onClick={() => void pause.run()}>
              Pause the DAO
            </Button>
            <Button small onClick={() => setSure(false)}>
              Leave it open
            </Button>
          </>
        ) : (
          <Button small look="danger" onClick={() => setSure(true)}>
            Pause…
          </Button>
        )}
      </div>
      <Refusal error={pause.error} />
    </div>
  );
}
