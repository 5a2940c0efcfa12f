import type { DatasetId } from '@usufruct/kernel';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { formatBytes, formatTime } from '../../app/format.js';
import { routeTo, useRoute } from '../../app/route.js';
import { WithAccount, type Acting } from '../../app/with-account.js';
import { titleOf, type ContributionCard } from '../../data/catalogue.js';
import { useContributions, useDatasets } from '../../data/use-catalogue.js';
import { storageWords } from '../../data/storage.js';
import { useFileNames } from '../../data/use-file-names.js';
import { Button } from '../../ui/button.js';
import { Id } from '../../ui/id.js';
import { Chip, Empty, Loading, PageHead, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import type { Upload } from '../../work/uploads.js';
import { CONTRIBUTION_STATE } from '../../ui/status.js';
import { DatasetSelect, startingDataset } from '../datasets/dataset-select.js';
import { DropZone } from './drop-zone.js';
import { NoticeContactPanel } from './notice-contact.js';
import { StorageNotices } from './storage-notices.js';
import { isTooLarge, TooLarge } from './too-large.js';
import { UploadList } from './upload-list.js';

export function ContributePage() {
  return (
    <>
      <PageHead title="Contribute">
        Your files are encrypted on this device. The key is split among independent key holders, so that nobody, not
        even the operator of this portal, can read them unless you allow a use.
      </PageHead>
      <WithAccount>{(acting) => <Contribute {...acting} />}</WithAccount>
    </>
  );
}

function Contribute({ account }: Acting) {
  const { query } = useRoute();
  const datasets = useDatasets(account.client);
  const [picked, setPicked] = useState<DatasetId>();
  const [large, setLarge] = useState<readonly File[]>([]);
  if (datasets.error !== undefined) return <Refusal error={datasets.error} onRetry={datasets.reload} />;
  if (datasets.data === undefined) return <Loading what="datasets" />;
  if (datasets.data.length === 0) {
    return (
      <Empty>
        There is no dataset to contribute to yet. <a href={routeTo('governance')}>Publish one.</a>
      </Empty>
    );
  }
  const chosen = picked ?? startingDataset(datasets.data, query.get('dataset'))?.datasetId;
  const add = (files: readonly File[]) => {
    if (chosen !== undefined) account.uploads.add(chosen, files);
  };
  return (
    <div className="stack">
      <Panel title="Add files">
        <DatasetSelect datasets={datasets.data} chosen={chosen} onChange={setPicked} />
        <DropZone
          disabled={chosen === undefined}
          onFiles={(files) => {
            add(files.filter((file) => !isTooLarge(file)));
            setLarge(files.filter(isTooLarge));
          }}
        />
        <TooLarge
          files={large}
          onLeave={() => setLarge([])}
          onContribute={() => {
            add(large);
            setLarge([]);
          }}
        />
        <UploadList uploads={account.uploads} />
        <p className="hint">
          An upload that was interrupted goes on when you choose the same file again. Nothing may use a contribution
          until the DAO accepts it and you <a href={routeTo('consent')}>allow a use</a>.
        </p>
      </Panel>
      <OwnContributions
        account={account}
        titles={new Map(datasets.data.map((dataset) => [dataset.datasetId, titleOf(dataset, 'Untitled dataset')]))}
      />
      <NoticeContactPanel account={account} />
    </div>
  );
}

interface OwnContributionsProps extends Pick<Acting, 'account'> {
  readonly titles: ReadonlyMap<string, string>;
}

function OwnContributions({ account, titles }: OwnContributionsProps) {
  const own = useContributions(account.client, { owner: account.address });
  const names = useFileNames(account);
  const done = useSyncExternalStore(account.uploads.subscribe, account.uploads.snapshot).filter(isDone).length;
  useReadSoon(done, own.reload);
  return (
    <Panel
      title="Your contributions"
      lead="File names are part of what is encrypted: they are shown here only on the device that contributed them."
      actions={
        <Button small onClick={own.reload}>
          Read again
        </Button>
      }
    >
      <Refusal error={own.error} onRetry={own.reload} />
      {own.data !== undefined && <StorageNotices contributions={own.data} names={names} />}
      {own.data?.length === 0 && <Empty>You have not contributed anything yet.</Empty>}
      {own.data !== undefined && own.data.length > 0 && (
        <div className="table-wrap">
          <table className="cards">
            <thead>
              <tr>
                <th scope="col">File</th>
                <th scope="col">Dataset</th>
                <th scope="col">State</th>
                <th scope="col">Size</th>
                <th scope="col">Storage</th>
                <th scope="col">Since</th>
              </tr>
            </thead>
            <tbody>
              {own.data.map((contribution) => (
                <ContributionRow
                  key={contribution.contributionId}
                  contribution={contribution}
                  name={names.get(contribution.contributionId)}
                  dataset={titles.get(contribution.datasetId) ?? ''}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

const isDone = ({ state }: Upload): boolean => state === 'done';

/** The API learns of a contribution from the chain, a moment after its registration. */
const READ_AFTER_MS = [300, 1_500, 5_000] as const;
function useReadSoon(change: number, read: () => void): void {
  useEffect(() => {
    if (change === 0) return;
    const timers = READ_AFTER_MS.map((afterMs) => setTimeout(read, afterMs));
    return () => timers.forEach(clearTimeout);
  }, [change, read]);
}

interface RowProps {
  readonly contribution: ContributionCard;
  readonly name: string | undefined;
  readonly dataset: string;
}

function ContributionRow({ contribution, name, dataset }: RowProps) {
  const { contributionId, state, parts, registeredAtMs, storage } = contribution;
  const kept = storageWords(storage);
  const { words, tone } = CONTRIBUTION_STATE[state];
  return (
    <tr data-contribution={contributionId}>
      <th scope="row">{name ?? <Id value={contributionId} what="contribution id" />}</th>
      <td data-label="Dataset">{dataset}</td>
      <td data-label="State">
        <Chip tone={tone}>{words}</Chip>
      </td>
      <td data-label="Size">{formatBytes(parts.reduce((total, { sizeBytes }) => total + sizeBytes, 0))}</td>
      <td data-label="Storage">
        <Chip tone={kept.tone}>{kept.words}</Chip>
      </td>
      <td data-label="Since">{formatTime(registeredAtMs)}</td>
    </tr>
  );
}
