import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { BlobId } from '@usufruct/kernel';
import { blobIdEncoder, blobIdFrom } from '../blob-id/index.js';

/** Smaller ones take less than their way to a thread and back, with what else waits there. */
const LEAST_BYTES = 256 * 1024;

/**
 * The blob ids of large blobs, computed beside the thread that answers requests: 8 MiB take 0.3 s, in which it would
 * answer nobody. Threads are started when they are needed, at most one for each processor.
 */
export class RedStuffThreads {
  private readonly idle: Worker[] = [];
  private readonly waiting: ((worker: Worker) => void)[] = [];
  private readonly running = new Set<Worker>();

  private constructor(
    private readonly shards: number,
    private readonly encodeHere: (bytes: Uint8Array) => Promise<BlobId>,
    private readonly mostThreads: number,
  ) {}

  static async open(shards: number, mostThreads = availableParallelism()): Promise<RedStuffThreads> {
    return new RedStuffThreads(shards, await blobIdEncoder(shards), mostThreads);
  }

  async blobIdOf(bytes: Uint8Array): Promise<BlobId> {
    if (bytes.length < LEAST_BYTES) return this.encodeHere(bytes);
    const worker = await this.take();
    try {
      worker.postMessage(bytes);
      const [metadata]: unknown[] = await once(worker, 'message');
      this.giveBack(worker);
      return blobIdFrom(metadata);
    } catch (error) {
      // What a thread failed at once may have left it broken: the next one starts anew.
      this.running.delete(worker);
      await worker.terminate();
      const next = this.waiting.shift();
      if (next !== undefined) next(this.start());
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.running].map((worker) => worker.terminate()));
  }

  private take(): Worker | Promise<Worker> {
    const free = this.idle.pop();
    if (free !== undefined) return free;
    if (this.running.size < this.mostThreads) return this.start();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private giveBack(worker: Worker): void {
    const next = this.waiting.shift();
    if (next !== undefined) next(worker);
    else this.idle.push(worker);
  }

  private start(): Worker {
    const file = import.meta.url.endsWith('.ts') ? './red-stuff-worker.ts' : './red-stuff-worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { workerData: this.shards, env: {}, execArgv: [] });
    // A thread that waits keeps no process alive, and one that ends by itself is not given out again.
    worker.unref();
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      this.running.delete(worker);
      const index = this.idle.indexOf(worker);
      if (index !== -1) this.idle.splice(index, 1);
    });
    this.running.add(worker);
    return worker;
  }
}
