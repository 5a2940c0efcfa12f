import type { WalletSigner } from '@usufruct/chain';
import { fromWire, toUsufructError, type Address } from '@usufruct/kernel';
import { connectPortal } from '../app/client.js';
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
  const { id, config, owner, datasetId, file } = order;
  const key = contributionKey(datasetId, file);
  try {
    // One at a time over all tabs: two must not continue the same journal.
    const result = await navigator.locks.request(`usufruct/${owner}/${key}`, () =>
      connectPortal(config, pageSigner(owner)).contributions.contribute({
        key,
        datasetId,
        fileName: file.name,
        sizeBytes: file.size,
        source: () => chunksOf(file),
        onProgress: (progress) => post({ type: 'progress', id, progress }),
      }),
    );
    await rememberFileName(owner, result);
    post({ type: 'done', id, result });
  } catch (error) {
    post({ type: 'failed', id, error: toUsufructError(error).toWire() });
  }
}

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
