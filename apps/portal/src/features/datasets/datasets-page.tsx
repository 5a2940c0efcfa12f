import { purposeLabel } from '@usufruct/consent';
import { explainAnswerRules } from '@usufruct/sdk';
import { counted, formatAmount, type Coin } from '../../app/format.js';
import { routeTo } from '../../app/route.js';
import { WithAccount, type Acting } from '../../app/with-account.js';
import { titleOf, type DatasetCard } from '../../data/catalogue.js';
import { useDatasets } from '../../data/use-catalogue.js';
import { Button } from '../../ui/button.js';
import { Id } from '../../ui/id.js';
import { Chip, Empty, Facts, Loading, PageHead, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { KIND_WORDS, PROTECTION_WORDS } from '../../ui/status.js';

export function DatasetsPage() {
  return (
    <>
      <PageHead title="Datasets">
        What many people own together and let others use: asked, counted and learned from, but never handed over.
      </PageHead>
      <WithAccount>{(acting) => <DatasetList {...acting} />}</WithAccount>
    </>
  );
}

function DatasetList({ account, coin }: Acting) {
  const datasets = useDatasets(account.client);
  if (datasets.error !== undefined) return <Refusal error={datasets.error} onRetry={datasets.reload} />;
  if (datasets.data === undefined) return <Loading what="datasets" />;
  if (datasets.data.length === 0) {
    return (
      <Empty>
        There is no dataset yet. <a href={routeTo('governance')}>Found a DAO and publish the first one.</a>
      </Empty>
    );
  }
  return (
    <div className="stack">
      <div>
        <Button small onClick={datasets.reload}>
          Read again
        </Button>
      </div>
      {datasets.data.map((dataset) => (
        <DatasetPanel key={dataset.datasetId} dataset={dataset} coin={coin} />
      ))}
    </div>
  );
}

function DatasetPanel({ dataset, coin }: { readonly dataset: DatasetCard; readonly coin: Coin }) {
  const { policy } = dataset.dao;
  const query = { dataset: dataset.datasetId };
  return (
    <Panel
      title={titleOf(dataset, 'Untitled dataset')}
      lead={dataset.description ?? undefined}
      actions={
        <div className="row">
          <a className="button small" href={routeTo('contribute', query)}>
            Contribute
          </a>
          <a className="button small primary" href={routeTo('ask', query)}>
            Ask
          </a>
        </div>
      }
    >
      <div className="row">
        <Chip>{formatAmount(policy.pricePerQuestionUnits, coin)} a question</Chip>
        <Chip>{counted(dataset.contributionCount, 'contribution')}</Chip>
        {policy.purposes.map((code) => (
          <Chip key={code}>{purposeLabel(code)}</Chip>
        ))}
      </div>
      <details>
        <summary>Policy of {titleOf(dataset.dao, 'the DAO')}</summary>
        <PolicyFacts dataset={dataset} />
      </details>
    </Panel>
  );
}

function PolicyFacts({ dataset }: { readonly dataset: DatasetCard }) {
  const { policy, policyVersion, daoId } = dataset.dao;
  const { split, holderSet, appraisal } = policy;
  const percent = (bps: number) => `${bps / 100} %`;
  return (
    <Facts
      entries={[
        ['Dataset', <Id value={dataset.datasetId} what="dataset id" />],
        ['DAO', <Id value={daoId} what="DAO id" />],
        ['Policy version', policyVersion],
        ['Answers', explainAnswerRules(dataset.answerRules).join(' ')],
        ['May be used by', policy.kinds.map((kind) => KIND_WORDS[kind]).join(', ')],
        ['Protected by', policy.protections.map((kind) => PROTECTION_WORDS[kind]).join(', ')],
        [
          'Who is paid',
          `contributors ${percent(split.contributorsBps)}, treasury ${percent(split.treasuryBps)}, ` +
            `runner ${percent(split.runnerBps)}, protocol ${percent(split.protocolBps)}`,
        ],
        [
          'Keys',
          `any ${holderSet.threshold} of ${holderSet.members.length} independent key holders must agree; where a ` +
            "contributor chose Seal's key servers instead, which is weaker, the offer of a session says so",
        ],
        ['Accepted evidence', appraisal.profiles.join(', ') || 'none'],
        [
          'Approved code',
          appraisal.measurements.map((measurement) => (
            <div key={measurement}>
              <Id value={measurement} what="measurement" />
            </div>
          )),
        ],
      ]}
    />
  );
}
