import type { WalletSigner } from '@usufruct/chain';
import { fromWire, refuse, toUsufructError, type DatasetId, type UsufructError } from '@usufruct/kernel';
import type { Contributed, ContributeProgress } from '@usufruct/sdk';
import type { PortalConfig } from '../app/config.js';
import type { FromWorker, ToWorker } from './messages.js';

export interface Upload {
  readonly id: string;
  readonly file: File;
  readonly datasetId: DatasetId;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly progress: ContributeProgress | undefined;
  readonly result: Contributed | undefined;
  readonly error: UsufructError | undefined;
}

/**
 * The files that one account contributes in this tab, one after the other. It outlives the page that shows it: going
 * to another page of the portal does not stop an upload.
 */
export class Uploads {
  readonly #config: PortalConfig;
  readonly #signer: WalletSigner;
  readonly #listeners = new Set<() => void>();
  #uploads: readonly Upload[] = [];
  #worker: Worker | undefined;
  #count = 0;

  constructor(config: PortalConfig, signer: WalletSigner) {
    this.#config = config;
    this.#signer = signer;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
  readonly snapshot = (): readonly Upload[] => this.#uploads;

  add(datasetId: DatasetId, files: readonly File[]): void {
    const added = files.map((file): Upload => {
      const id = String(++this.#count);
      return { id, file, datasetId, state: 'waiting', progress: undefined, result: undefined, error: undefined };
    });
    this.#set([...this.#uploads, ...added]);
    this.#next();
  }

  /** The journal makes it go on where it stopped. */
  retry(id: string): void {
    this.#change(id, { state: 'waiting', error: undefined });
    this.#next();
  }

  /** Take a failed one off the list. What it left in the journal waits for the same file. */
  dismiss(id: string): void {
    this.#set(this.#uploads.filter((upload) => upload.id !== id || upload.state !== 'failed'));
  }

  #next(): void {
    if (this.#uploads.some((upload) => upload.state === 'running')) return;
    const upload = this.#uploads.find(({ state }) => state === 'waiting');
    if (upload === undefined) return;
    const { id, datasetId, file } = upload;
    this.#change(id, { state: 'running' });
    const waiting = this.#uploads.filter((other) => other.state === 'waiting' && other.datasetId === datasetId);
    const order = { id, config: this.#config, owner: this.#signer.address, datasetId, file };
    this.#post({ type: 'contribute', ...order, waiting: waiting.map((other) => ({ id: other.id, file: other.file })) });
  }

  #post(message: ToWorker): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./contribute.worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    worker.addEventListener('error', () => {
      worker.terminate();
      this.#worker = undefined;
      const running = this.#uploads.find(({ state }) => state === 'running');
      if (running !== undefined) this.#end(running.id, { state: 'failed', error: refuse('INTERNAL') });
    });
    return worker;
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'progress':
        return this.#change(message.id, { progress: message.progress });
      case 'done':
        return this.#end(message.id, { state: 'done', result: message.result });
      case 'failed':
        return this.#end(message.id, { state: 'failed', error: fromWire(message.error, 'worker') });
      case 'sign':
        return void this.#sign(message);
    }
  }

  async #sign({ requestId, what, bytes }: Extract<FromWorker, { type: 'sign' }>): Promise<void> {
    try {
      this.#post({ type: 'signed', requestId, signature: await this.#signed(what, bytes) });
    } catch (error) {
      this.#post({ type: 'not-signed', requestId, error: toUsufructError(error).toWire() });
    }
  }

  #signed(what: 'message' | 'transaction', bytes: Uint8Array): Promise<string> {
    if (what === 'message') return this.#signer.signPersonalMessage(bytes);
    if (this.#signer.signTransaction === undefined)
      throw refuse('FORBIDDEN', { reason: 'the wallet signs no transactions' });
    return this.#signer.signTransaction(bytes);
  }

  #end(id: string, outcome: Partial<Upload>): void {
    this.#change(id, outcome);
    this.#next();
  }

  #change(id: string, change: Partial<Upload>): void {
    this.#set(this.#uploads.map((upload) => (upload.id === id ? { ...upload, ...change } : upload)));
  }

  #set(uploads: readonly Upload[]): void {
    this.#uploads = uploads;
    for (const listener of this.#listeners) listener();
  }
}
