import { useSyncExternalStore } from 'react';
import { formatBytes } from '../../app/format.js';
import { Button } from '../../ui/button.js';
import { Chip } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import type { Upload, Uploads } from '../../work/uploads.js';

const STEP_WORDS = {
  planning: 'preparing',
  uploading: 'encrypting and uploading',
  signing: 'your wallet signs the manifest',
  depositing: 'key holders take their shares',
  registering: 'registering on the chain',
  done: 'done',
} as const;

export function UploadList({ uploads }: { readonly uploads: Uploads }) {
  const list = useSyncExternalStore(uploads.subscribe, uploads.snapshot);
  if (list.length === 0) return null;
  return (
    <ul className="list" aria-label="Files in this tab">
      {list.map((upload) => (
        <UploadItem
          key={upload.id}
          upload={upload}
          onRetry={() => uploads.retry(upload.id)}
          onDismiss={() => uploads.dismiss(upload.id)}
        />
      ))}
    </ul>
  );
}

interface UploadItemProps {
  readonly upload: Upload;
  readonly onRetry: () => void;
  readonly onDismiss: () => void;
}

function UploadItem({ upload, onRetry, onDismiss }: UploadItemProps) {
  const { file, state, progress, error } = upload;
  return (
    <li className="item" data-upload={file.name} data-state={state}>
      <div className="row apart">
        <span className="item-title">{file.name}</span>
        <span className="row">
          <span className="hint">{formatBytes(file.size)}</span>
          {state === 'waiting' && <Chip>waiting</Chip>}
          {state === 'done' && <Chip tone="good">contributed</Chip>}
          {state === 'failed' && <Chip tone="bad">not contributed</Chip>}
        </span>
      </div>
      {state === 'running' && progress !== undefined && (
        <>
          <progress max={1} value={fractionOf(progress)} aria-label={`Progress of ${file.name}`} />
          <span className="hint">
            {STEP_WORDS[progress.step]}
            {progress.step === 'depositing' && ` (${progress.sharesDeposited} of ${progress.shareCount})`}
          </span>
        </>
      )}
      <Refusal error={error} />
      {state === 'failed' && (
        <div className="row">
          {error?.entry.retry !== 'never' && (
            <Button small onClick={onRetry}>
              Go on with this file
            </Button>
          )}
          <Button small onClick={onDismiss}>
            Dismiss
          </Button>
        </div>
      )}
    </li>
  );
}

/** Encrypting and uploading are nearly all of it; the rest is one tenth. */
function fractionOf({ fileBytes, encryptedBytes, uploadedBytes, step }: NonNullable<Upload['progress']>): number {
  const afterUpload = ['signing', 'depositing', 'registering', 'done'].indexOf(step);
  if (afterUpload >= 0) return 0.9 + 0.025 * (afterUpload + 1);
  const uploaded = Math.min(uploadedBytes, fileBytes);
  return fileBytes === 0 ? 0 : (0.9 * (Math.min(encryptedBytes, fileBytes) + uploaded)) / (2 * fileBytes);
}
