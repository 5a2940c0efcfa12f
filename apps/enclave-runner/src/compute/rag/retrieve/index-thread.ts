import { Worker } from 'node:worker_threads';
import { Bm25Index, LsaIndex, RetrievalIndex } from '@usufruct/retrieval';
import { makeIndex, type IndexJob, type IndexReply } from './index-worker.js';

/** Fewer take less time than a thread takes to start. */
const PASSAGES_WITHOUT_THREAD = 64;
/** An index of 100,000 passages took a minute on two busy cores; a thread that takes far longer helps nobody. */
const LIMIT_MS = 300_000;

/** Sources run as they are, in tests: what they import as `.js` stands beside them as `.ts`. */
const LOAD_SOURCES =
  "import{registerHooks}from'node:module';registerHooks({resolve:(s,c,n)=>n(c.parentURL?.endsWith('.ts')&&s.startsWith('.')?s.replace(/\\.js$/,'.ts'):s,c)})";

/** Makes BM25 and LSA of passages. */
export interface IndexMaker {
  /** Rejects where it is aborted, or the thread died or took too long. */
  make(job: IndexJob, signal: AbortSignal): Promise<RetrievalIndex>;
}

/**
 * In a thread of its own, so that the runner answers meanwhile; one at a time, for each takes a processor and memory.
 * The thread ends with its answer or with the signal: of what it was given nothing stays behind.
 */
export class IndexThread implements IndexMaker {
  #last: Promise<unknown> = Promise.resolve();

  async make(job: IndexJob, signal: AbortSignal): Promise<RetrievalIndex> {
    const size = 'matrix' in job ? job.matrix.size : job.texts.length;
    if (size <= PASSAGES_WITHOUT_THREAD) return indexOf(makeIndex(job));
    const before = this.#last;
    const made = before.then(() => inThread(job, signal));
    this.#last = made.catch(() => undefined);
    return indexOf(await made);
  }
}

const indexOf = ({ matrix, lsa }: IndexReply): RetrievalIndex =>
  new RetrievalIndex(new Bm25Index(matrix), lsa && new LsaIndex(lsa.basis, lsa.passages));

async function inThread(job: IndexJob, signal: AbortSignal): Promise<IndexReply> {
  signal.throwIfAborted();
  const isSource = import.meta.url.endsWith('.ts');
  const { promise, resolve, reject } = Promise.withResolvers<IndexReply>();
  const worker = new Worker(new URL(isSource ? './index-worker.ts' : './index-worker.js', import.meta.url), {
    workerData: { indexJob: job },
    env: {},
    execArgv: isSource
      ? [
          '--no-warnings',
          '--conditions=@usufruct/source',
          '--import',
          `data:text/javascript,${encodeURIComponent(LOAD_SOURCES)}`,
        ]
      : [],
    stdout: true,
    stderr: true,
  });
  const onAbort = (): void => reject(new Error('aborted'));
  const timer = setTimeout(() => reject(new Error('the index took too long')), LIMIT_MS);
  signal.addEventListener('abort', onAbort);
  worker.on('message', resolve).on('error', reject);
  worker.on('exit', () => reject(new Error('the thread of an index ended')));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    void worker.terminate();
  }
}
