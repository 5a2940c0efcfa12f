/**
 * Runs in a process of its own, and reads one document after the other for the runner in a thread with limits on heap,
 * on memory outside it, and on time. A thread alone is no wall: V8 ends the whole process where one large step of a
 * parser takes all that the thread may have (a list of twenty million nothings in JSON is one). This process has nothing
 * but the document to lose. Loads nothing of our other packages, so that Node runs the source and the build alike.
 */
import { Worker } from 'node:worker_threads';
import { broken, DocumentRefusal, tooComplex } from '../parse/refusal.js';
import type { ParseLimits } from '../parse/types.js';
import type { IngestAnswer, IngestJob } from './ingest-bytes.js';
import { IS_READY, isReadiness } from './ready.js';

/** What came of a document: what was made of it, or that the thread ended over it, and a new process is needed. */
export interface HostAnswer {
  readonly answer: IngestAnswer;
  readonly isThreadSound: boolean;
}

const WATCH_MS = 50;
const MEBIBYTE = 1024 ** 2;

let thread: Worker | null = null;
const ready = Promise.withResolvers<void>();

// A runner that is gone needs no answer; a thread may go on for ever.
process.on('disconnect', () => process.exit());
process.on('message', (job) => {
  if (isJob(job)) void read(job).then((found) => process.send?.(found));
});

const isJob = (message: unknown): message is IngestJob =>
  typeof message === 'object' && message !== null && 'sketchKey' in message;

async function read(job: IngestJob): Promise<HostAnswer> {
  thread ??= started(job.limits.parserHeapMb);
  // What it takes to start is not the document's.
  await ready.promise.catch(() => process.exit(1));
  try {
    return { answer: await answerOf(thread, job), isThreadSound: true };
  } catch (error) {
    const { code, details } = error instanceof DocumentRefusal ? error : broken('what its name says');
    return { answer: { refusal: { code, details } }, isThreadSound: false };
  }
}

function started(heapMb: number): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  const worker = new Worker(new URL(isSource ? './ingest-worker.ts' : './ingest-worker.js', import.meta.url), {
    env: {},
    // Parsers print warnings that may quote the document: nobody reads them, and they stay in the thread.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  worker.on('message', (message) => {
    if (!isReadiness(message)) return;
    ready.resolve();
    process.send?.(IS_READY);
  });
  // Between two documents nobody else listens.
  worker.on('error', ready.reject);
  worker.on('exit', () => {
    ready.reject(new Error('the thread ended'));
    thread = null;
  });
  return worker;
}

async function answerOf(worker: Worker, job: IngestJob): Promise<IngestAnswer> {
  const { limits } = job;
  const { promise, resolve, reject } = Promise.withResolvers<IngestAnswer>();
  const onError = (cause: Error): void => reject(whyItDied(cause, limits));
  const onExit = (): void => reject(broken('what its name says'));
  worker.on('message', resolve).on('error', onError).on('exit', onExit);
  const before = process.cpuUsage();
  const watch = setInterval(
    () => {
      // Of this whole process, which does nothing else: on a busy machine a document has as much time as on another.
      const { user, system } = process.cpuUsage(before);
      if (user + system > limits.parserTimeMs * 1_000) reject(tooComplex(`${limits.parserTimeMs} ms`));
      void watchBuffers(worker, limits, reject);
    },
    Math.min(WATCH_MS, limits.parserTimeMs),
  );
  try {
    worker.postMessage(job);
    return await promise;
  } finally {
    clearInterval(watch);
    worker.off('message', resolve).off('error', onError).off('exit', onExit);
  }
}

/** V8's limit is on the heap alone; what is unpacked lies beside it, and would be taken from the whole machine. */
async function watchBuffers(worker: Worker, limits: ParseLimits, reject: (refusal: DocumentRefusal) => void) {
  const statistics = await worker.getHeapStatistics().catch(() => null);
  if (statistics !== null && statistics.external_memory > limits.parserBuffersMb * MEBIBYTE)
    reject(tooComplex(`${limits.parserBuffersMb} MiB of buffers`));
}

const whyItDied = (cause: Error, limits: ParseLimits): DocumentRefusal =>
  'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? tooComplex(`${limits.parserHeapMb} MiB of memory`)
    : broken('what its name says');
