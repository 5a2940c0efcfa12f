import { useState } from 'react';
import { formatAmount, shortId } from '../../app/format.js';
import { WithAccount, type Acting } from '../../app/with-account.js';
import { useLoaded } from '../../app/use-task.js';
import { titleOf, type DaoCard, type DatasetCard } from '../../data/catalogue.js';
import { useDaos, useDatasets } from '../../data/use-catalogue.js';
import { Button } from '../../ui/button.js';
import { Id } from '../../ui/id.js';
import { Empty, Facts, Loading, PageHead, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { Decisions } from './decisions.js';
import { NewDao } from './new-dao.js';
import { NewDataset } from './new-dataset.js';

export function GovernancePage() {
  return (
    <>
      <PageHead title="Governance">
        A DAO sets the price, the purposes, the approved code and how income is divided, on the chain for everyone to
        see. It accepts contributions, but it cannot read them.
      </PageHead>
      <WithAccount>{(acting) => <Governance {...acting} />}</WithAccount>
    </>
  );
}

function Governance(acting: Acting) {
  const { account } = acting;
  const daos = useDaos(account.client);
  const datasets = useDatasets(account.client);
  const [founding, setFounding] = useState(false);
  const reload = () => {
    daos.reload();
    datasets.reload();
  };
  const error = daos.error ?? datasets.error;
  if (error !== undefined) return <Refusal error={error} onRetry={reload} />;
  if (daos.data === undefined || datasets.data === undefined) return <Loading what="the DAOs" />;
  const own = daos.data.filter(({ founder }) => founder === account.address);
  return (
    <div className="stack">
      {own.length === 0 && !founding && <Empty>You have not founded a DAO.</Empty>}
      {own.map((dao) => (
        <OwnDao
          key={dao.daoId}
          {...acting}
          dao={dao}
          datasets={datasets.data?.filter((dataset) => dataset.dao.daoId === dao.daoId) ?? []}
          onChanged={reload}
        />
      ))}
      {founding ? (
        <NewDao
          {...acting}
          onDone={() => {
            setFounding(false);
            reload();
          }}
        />
      ) : (
        <div>
          <Button look={own.length === 0 ? 'primary' : 'plain'} onClick={() => setFounding(true)}>
            Found a DAO
          </Button>
        </div>
      )}
    </div>
  );
}

interface OwnDaoProps extends Acting {
  readonly dao: DaoCard;
  readonly datasets: readonly DatasetCard[];
  readonly onChanged: () => void;
}

function OwnDao({ dao, datasets, account, coin, onChanged }: OwnDaoProps) {
  const [publishing, setPublishing] = useState(false);
  const treasury = useLoaded(dao.treasury, () => account.client.chain.balanceOf(dao.treasury));
  return (
    <Panel
      title={titleOf(dao, shortId(dao.daoId))}
      lead={dao.description ?? undefined}
      actions={
        <Button
          small
          onClick={() => {
            treasury.reload();
            onChanged();
          }}
        >
          Read again
        </Button>
      }
    >
      <Facts
        entries={[
          ['DAO', <Id value={dao.daoId} what="DAO id" />],
          ['Price of a question', formatAmount(dao.policy.pricePerQuestionUnits, coin)],
          ['Treasury', treasury.data === undefined ? '…' : formatAmount(treasury.data, coin)],
        ]}
      />
      {datasets.map((dataset) => (
        <Decisions key={dataset.datasetId} account={account} dataset={dataset} />
      ))}
      {publishing || datasets.length === 0 ? (
        <NewDataset
          account={account}
          dao={dao}
          onDone={() => {
            setPublishing(false);
            onChanged();
          }}
        />
      ) : (
        <div>
          <Button onClick={() => setPublishing(true)}>Publish another dataset</Button>
        </div>
      )}
    </Panel>
  );
}
