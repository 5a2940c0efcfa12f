import { Worker } from 'node:worker_threads';
import { broken, tooComplex, type DocumentRefusal } from '../parse/refusal.js';
import type { ParseLimits } from '../parse/types.js';
import type { IngestAnswer, IngestJob } from './ingest-bytes.js';

interface Thread {
  readonly worker: Worker;
  readonly heapMb: number;
  documents: number;
  isDead: boolean;
  idleTimer?: NodeJS.Timeout;
}

/** Each may take what `ParseLimits` give one document. */
const MAX_THREADS = 4;
/** What one document leaves behind in a parser is not handed on for ever. */
const DOCUMENTS_A_THREAD = 200;
const IDLE_MS = 5_000;
const WATCH_MS = 50;
const MEBIBYTE = 1024 ** 2;

/** Sources run as they are, in tests: what they import as `.js` stands beside them as `.ts`. */
const LOAD_SOURCES =
  "import{registerHooks}from'node:module';registerHooks({resolve:(s,c,n)=>n(c.parentURL?.endsWith('.ts')&&s.startsWith('.')?s.replace(/\\.js$/,'.ts'):s,c)})";

/**
 * Threads that read one document at a time, each with limits on heap, on memory outside it, and on time. A thread that
 * has refused a document is ended: what it met may still be in it. An idle one waits five seconds for the next.
 *
 * A thread bounds accidents and hostile documents that exhaust; it shares the process, so it is no wall against one
 * that takes over a parser (docs/THREAT_MODEL.md).
 */
export class IngestThreads {
  readonly #idle: Thread[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  /** Throws a `DocumentRefusal` where the thread died or was ended: `DOCUMENT_TOO_COMPLEX`, `FORMAT_BROKEN`. */
  async run(job: IngestJob): Promise<IngestAnswer> {
    while (this.#busy >= MAX_THREADS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy++;
    const thread = this.#take(job.limits.parserHeapMb);
    let isSound = false;
    try {
      const answer = await answerOf(thread.worker, job);
      isSound = 'reply' in answer;
      return answer;
    } finally {
      this.#busy--;
      this.#release(thread, isSound);
      this.#waiting.shift()?.();
    }
  }

  #take(heapMb: number): Thread {
    const place = this.#idle.findIndex((thread) => thread.heapMb === heapMb && !thread.isDead);
    const thread = place === -1 ? started(heapMb) : this.#idle.splice(place, 1)[0]!;
    clearTimeout(thread.idleTimer);
    thread.worker.ref();
    thread.documents++;
    return thread;
  }

  #release(thread: Thread, isSound: boolean): void {
    if (!isSound || thread.documents >= DOCUMENTS_A_THREAD) {
      void thread.worker.terminate();
      return;
    }
    thread.worker.unref();
    this.#idle.push(thread);
    thread.idleTimer = setTimeout(() => {
      const place = this.#idle.indexOf(thread);
      if (place === -1) return;
      this.#idle.splice(place, 1);
      void thread.worker.terminate();
    }, IDLE_MS).unref();
  }
}

function started(heapMb: number): Thread {
  const isSource = import.meta.url.endsWith('.ts');
  const worker = new Worker(new URL(isSource ? './ingest-worker.ts' : './ingest-worker.js', import.meta.url), {
    env: {},
    execArgv: isSource ? ['--no-warnings', '--import', `data:text/javascript,${encodeURIComponent(LOAD_SOURCES)}`] : [],
    // Parsers print warnings that may quote the document: nobody reads them, and they stay in the thread.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  const thread: Thread = { worker, heapMb, documents: 0, isDead: false };
  // Between two documents nobody else listens.
  worker.on('error', () => undefined);
  worker.on('exit', () => (thread.isDead = true));
  return thread;
}

async function answerOf(worker: Worker, job: IngestJob): Promise<IngestAnswer> {
  const { limits } = job;
  const { promise, resolve, reject } = Promise.withResolvers<IngestAnswer>();
  const onError = (cause: Error): void => reject(whyItDied(cause, limits));
  const onExit = (): void => reject(broken('what its name says'));
  worker.on('message', resolve).on('error', onError).on('exit', onExit);
  const timer = setTimeout(() => reject(tooComplex(`${limits.parserTimeMs} ms`)), limits.parserTimeMs);
  const watch = setInterval(() => void watchBuffers(worker, limits, reject), WATCH_MS);
  try {
    worker.postMessage(job);
    return await promise;
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
    worker.off('message', resolve).off('error', onError).off('exit', onExit);
  }
}

/** V8's limit is on the heap alone; what is unpacked lies beside it, and would be taken from the whole process. */
async function watchBuffers(worker: Worker, limits: ParseLimits, reject: (refusal: DocumentRefusal) => void) {
  const statistics = await worker.getHeapStatistics().catch(() => null);
  if (statistics !== null && statistics.external_memory > limits.parserBuffersMb * MEBIBYTE)
    reject(tooComplex(`${limits.parserBuffersMb} MiB of buffers`));
}

const whyItDied = (cause: Error, limits: ParseLimits): DocumentRefusal =>
  'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? tooComplex(`${limits.parserHeapMb} MiB of memory`)
    : broken('what its name says');
