import { useState } from 'react';
import { shortId } from '../../app/format.js';
import { routeTo } from '../../app/route.js';
import { useLoaded } from '../../app/use-task.js';
import { WithAccount, type Acting } from '../../app/with-account.js';
import { titleOf, type ContributionCard, type DaoCard } from '../../data/catalogue.js';
import { useContributions, useDatasets } from '../../data/use-catalogue.js';
import { useFileNames } from '../../data/use-file-names.js';
import { Button } from '../../ui/button.js';
import { Chip, Empty, Loading, PageHead, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { CONTRIBUTION_STATE } from '../../ui/status.js';
import { Decision } from './decision.js';
import { Erase } from './erase.js';
import { GrantForm } from './grant-form.js';
import { GrantList, isActive } from './grant-list.js';
import { ReleaseLog } from './release-log.js';
import { StopUses } from './stop-uses.js';

export function ConsentPage() {
  return (
    <>
      <PageHead title="Consent">
        You decide, for each contribution, what it may be used for. Key holders enforce your decision: without a grant
        that covers a use, they do not release the key for it.
      </PageHead>
      <WithAccount>{(acting) => <Consent {...acting} />}</WithAccount>
    </>
  );
}

function Consent(acting: Acting) {
  const { account } = acting;
  // Grants of several contributions may have changed: each list is read again.
  const [round, setRound] = useState(0);
  const own = useContributions(account.client, { owner: account.address });
  const datasets = useDatasets(account.client);
  const names = useFileNames(account);
  const error = own.error ?? datasets.error;
  if (error !== undefined) return <Refusal error={error} onRetry={own.reload} />;
  if (own.data === undefined || datasets.data === undefined) return <Loading what="your contributions" />;
  if (own.data.length === 0) {
    return (
      <Empty>
        You have not contributed anything yet. <a href={routeTo('contribute')}>Contribute a file.</a>
      </Empty>
    );
  }
  const daoOf = new Map(datasets.data.map((dataset) => [dataset.datasetId, dataset]));
  return (
    <div className="stack">
      {own.data.map((contribution) => {
        const dataset = daoOf.get(contribution.datasetId);
        if (dataset === undefined) return null;
        return (
          <ContributionConsent
            key={contribution.contributionId}
            {...acting}
            contribution={contribution}
            dao={dataset.dao}
            name={names.get(contribution.contributionId) ?? shortId(contribution.contributionId)}
            dataset={titleOf(dataset, shortId(dataset.datasetId))}
            round={round}
          />
        );
      })}
      <StopUses
        account={account}
        names={names}
        datasets={[...new Set(own.data.map(({ datasetId }) => datasetId))].map((datasetId) => {
          const dataset = daoOf.get(datasetId);
          return {
            datasetId,
            title: dataset === undefined ? shortId(datasetId) : titleOf(dataset, shortId(datasetId)),
          };
        })}
        onChanged={() => setRound(round + 1)}
      />
    </div>
  );
}

const RETIRED = { words: 'retired for good', tone: 'bad' } as const;

interface ContributionConsentProps extends Acting {
  readonly contribution: ContributionCard;
  readonly dao: DaoCard;
  readonly name: string;
  readonly dataset: string;
  readonly round: number;
}

function ContributionConsent(props: ContributionConsentProps) {
  const { contribution, dao, name, dataset, account, coin, round } = props;
  const [erasures, setErasures] = useState(0);
  const [open, setOpen] = useState<'grant' | 'releases' | 'erase' | null>(null);
  const { contributionId } = contribution;
  // From the chain itself: what is allowed now must not lag behind.
  const grants = useLoaded(`${contributionId}/${round}`, () => account.client.grants.list(contributionId));
  const onChain = useLoaded(contributionId, () => account.client.chain.contribution(contributionId));
  const isRetired = typeof onChain.data?.tombstonedAtMs === 'number';
  const { words, tone } = isRetired ? RETIRED : CONTRIBUTION_STATE[contribution.state];
  const toggle = (what: 'grant' | 'releases' | 'erase') => setOpen(open === what ? null : what);
  const close = () => {
    setOpen(null);
    grants.reload();
  };
  return (
    <Panel
      title={name}
      actions={
        <div className="row">
          <span className="hint">{dataset}</span>
          <Chip tone={tone}>{words}</Chip>
        </div>
      }
    >
      <Refusal error={grants.error} onRetry={grants.reload} />
      {grants.data === undefined ? (
        grants.loading && <Loading what="its grants" />
      ) : (
        <GrantList grants={grants.data} isRetired={isRetired} account={account} coin={coin} onChanged={grants.reload} />
      )}
      <div className="row">
        {!isRetired && (
          <Button
            look={grants.data?.some(isActive) === true ? 'plain' : 'primary'}
            aria-expanded={open === 'grant'}
            onClick={() => toggle('grant')}
          >
            Allow a use
          </Button>
        )}
        <Button aria-expanded={open === 'releases'} onClick={() => toggle('releases')}>
          Who decrypted it?
        </Button>
        <Button aria-expanded={open === 'erase'} onClick={() => toggle('erase')}>
          Erase it
        </Button>
      </div>
      {open === 'grant' && (
        <GrantForm account={account} coin={coin} contributionId={contributionId} dao={dao} onGiven={close} />
      )}
      {grants.data !== undefined && (
        <Decision
          client={account.client}
          contributionId={contributionId}
          dao={dao}
          coin={coin}
          asOf={`${erasures} ${grants.data.map(({ id, revokedAtMs }) => `${id}${revokedAtMs ?? ''}`).join()}`}
        />
      )}
      {open === 'releases' && <ReleaseLog client={account.client} coin={coin} contributionId={contributionId} />}
      {open === 'erase' && (
        <Erase
          account={account}
          contributionId={contributionId}
          onErased={() => {
            setErasures(erasures + 1);
            onChain.reload();
          }}
        />
      )}
    </Panel>
  );
}
