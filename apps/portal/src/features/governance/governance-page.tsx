import type { Membership } from '@usufruct/sdk';
import { useState } from 'react';
import { useLoaded } from '../../app/use-task.js';
import { WithAccount, type Acting } from '../../app/with-account.js';
import type { DaoCard, DatasetCard } from '../../data/catalogue.js';
import { useDaos, useDatasets } from '../../data/use-catalogue.js';
import { Button } from '../../ui/button.js';
import { Empty, Loading, PageHead } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { DaoPanel } from './dao-panel.js';
import { NewDao } from './new-dao.js';
import { OtherDaos } from './other-daos.js';

export function GovernancePage() {
  return (
    <>
      <PageHead title="Governance">
        A DAO sets the price, the purposes, the approved code and how income is divided, on the chain for everyone to
        see. Its members vote on all of it. It accepts contributions, but it cannot read them.
      </PageHead>
      <WithAccount>{(acting) => <Governance {...acting} />}</WithAccount>
    </>
  );
}

interface KnownDao {
  readonly dao: DaoCard;
  readonly membership: Membership;
}

function Governance(acting: Acting) {
  const { members } = acting.account.client;
  const daos = useDaos(acting.account.client);
  const datasets = useDatasets(acting.account.client);
  const [founding, setFounding] = useState(false);
  const known = useLoaded(daos.data === undefined ? null : daos.data.map(({ daoId }) => daoId).join(), () =>
    Promise.all((daos.data ?? []).map(async (dao) => ({ dao, membership: await members.of(dao.daoId) }))),
  );
  const reload = () => {
    daos.reload();
    datasets.reload();
    known.reload();
  };
  const error = daos.error ?? datasets.error ?? known.error;
  if (error !== undefined) return <Refusal error={error} onRetry={reload} />;
  if (known.data === undefined || datasets.data === undefined) return <Loading what="the DAOs" />;
  const found = () => {
    setFounding(false);
    reload();
  };
  return (
    <div className="stack">
      <OwnDaos {...acting} daos={known.data} datasets={datasets.data} isFounding={founding} onChanged={reload} />
      {founding ? (
        <NewDao {...acting} onDone={found} />
      ) : (
        <div>
          <Button
            look={known.data.every(({ membership }) => membership.state !== 'member') ? 'primary' : 'plain'}
            onClick={() => setFounding(true)}
          >
            Found a DAO
          </Button>
        </div>
      )}
      {known.data.some(({ membership }) => membership.state !== 'member') && (
        <OtherDaos
          {...acting}
          daos={known.data.filter(({ membership }) => membership.state !== 'member')}
          onChanged={reload}
        />
      )}
    </div>
  );
}

interface OwnDaosProps extends Acting {
  readonly daos: readonly KnownDao[];
  readonly datasets: readonly DatasetCard[];
  readonly isFounding: boolean;
  readonly onChanged: () => void;
}

function OwnDaos({ daos, datasets, isFounding, onChanged, ...acting }: OwnDaosProps) {
  const own = daos.flatMap(({ dao, membership }) =>
    membership.state === 'member' ? [{ dao, self: membership.member }] : [],
  );
  if (own.length === 0) return isFounding ? null : <Empty>You are not a member of a DAO yet.</Empty>;
  return own.map(({ dao, self }) => (
    <DaoPanel
      key={dao.daoId}
      {...acting}
      dao={dao}
      self={self}
      datasets={datasets.filter((dataset) => dataset.dao.daoId === dao.daoId)}
      onChanged={onChanged}
    />
  ));
}
