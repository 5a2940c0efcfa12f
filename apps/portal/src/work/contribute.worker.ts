import type { WalletSigner } from '@usufruct/chain';
import { fromWire, systemRandom, toUsufructError, type Address, type BlobId, type DatasetId } from '@usufruct/kernel';
import type { ContributeParams } from '@usufruct/sdk';
import type { IdCheckOptions } from '@usufruct/walrus';
import { connectPortal, storeShards } from '../app/client.js';
import type { PortalConfig } from '../app/config.js';
import { rememberFileName } from './file-names.js';
import { contributionKey, type FromWorker, type ToWorker } from './messages.js';

/**
 * Reads, encrypts and uploads files away from the page's thread. It holds no wallet: signatures are asked of the page.
 * What it began lies in the journal, so a closed tab or a killed worker goes on when the same file is dropped again.
 */
const waiting = new Map<number, { resolve: (signature: string) => void; reject: (error: unknown) => void }>();
let requests = 0;

const post = (message: FromWorker): void => self.postMessage(message);

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === 'contribute') void contribute(data);
  else settle(data);
});

async function contribute(order: Extract<ToWorker, { type: 'contribute' }>): Promise<void> {
  const { id, config, owner, file, waiting } = order;
  try {
    // One at a time over all tabs: two must not continue the same journal, or store the same files in two quilts.
    const result = await navigator.locks.request(`usufruct/${owner}`, async () => {
      const { contributions } = connectPortal(config, pageSigner(owner), idCheckOf(config));
      const [first, ...others] = [{ id, file }, ...waiting].map((one) => paramsOf(order, one));
      // Those that follow find their parts and manifests stored.
      if (others.length > 0) await contributions.storeTogether([first!, ...others]);
      return contributions.contribute(first!);
    });
    await rememberFileName(owner, result);
    post({ type: 'done', id, result });
  } catch (error) {
    post({ type: 'failed', id, error: toUsufructError(error).toWire() });
  }
}

const paramsOf = (
  { datasetId }: { readonly datasetId: DatasetId },
  { id, file }: { readonly id: string; readonly file: File },
): ContributeParams => ({
  key: contributionKey(datasetId, file),
  datasetId,
  fileName: file.name,
  sizeBytes: file.size,
  source: () => chunksOf(file),
  onProgress: (progress) => post({ type: 'progress', id, progress }),
});

/** Above it, ids are checked by drawing: computing one takes seconds for a network of 1,000 shards. */
const CHECKED_UP_TO_BYTES = 256 * 1024;
const CHECKED_ONE_IN = 16;

/** Blob ids are computed here and not believed. The code for it is loaded when the first one is asked for. */
function idCheckOf(config: PortalConfig): IdCheckOptions | undefined {
  const shards = storeShards(config);
  if (shards === undefined) return undefined;
  return {
    blobIdOf: blobIdOf(shards),
    wholeUpToBytes: CHECKED_UP_TO_BYTES,
    oneIn: CHECKED_ONE_IN,
    random: systemRandom,
  };
}

const encoders = new Map<number, (bytes: Uint8Array) => Promise<BlobId>>();
/** One encoder for all files of this worker. */
const blobIdOf =
  (shards: number) =>
  async (bytes: Uint8Array): Promise<BlobId> => {
    const { lazyBlobId } = await import('@usufruct/walrus/blob-id');
    const encoder = encoders.get(shards) ?? lazyBlobId(shards);
    encoders.set(shards, encoder);
    return encoder(bytes);
  };

function pageSigner(address: Address): WalletSigner {
  const ask = (what: 'message' | 'transaction', bytes: Uint8Array): Promise<string> =>
    new Promise((resolve, reject) => {
      const requestId = ++requests;
      waiting.set(requestId, { resolve, reject });
      post({ type: 'sign', requestId, owner: address, what, bytes });
    });
  return {
    address,
    signPersonalMessage: (message) => ask('message', message),
    signTransaction: (bytes) => ask('transaction', bytes),
  };
}

function settle(answer: Exclude<ToWorker, { type: 'contribute' }>): void {
  const asked = waiting.get(answer.requestId);
  waiting.delete(answer.requestId);
  if (answer.type === 'signed') asked?.resolve(answer.signature);
  else asked?.reject(fromWire(answer.error, 'wallet'));
}

/** Not every browser can iterate a stream directly. */
async function* chunksOf(file: File): AsyncGenerator<Uint8Array, void> {
  const reader = file.stream().getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}
