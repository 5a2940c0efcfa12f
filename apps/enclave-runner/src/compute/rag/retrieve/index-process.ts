import type { ChildProcess } from 'node:child_process';
import { LsaIndex, type DenseIndex, type TermMatrix } from '@usufruct/retrieval';
import { forkAlone } from '../process/fork-alone.js';
import { Arriving, inPieces, type Message } from '../process/pieces.js';
import { inTurns } from '../../../slices.js';
import { fitted, isReplyTo, linksOf, readTexts, type Job, type LsaParts, type ReplyTo } from './index-jobs.js';

/** Less takes less time than a process takes to start. */
const PASSAGES_HERE = 64;
const CHARS_HERE = 1 << 18;
/** An index of 100,000 passages took a minute on two busy cores; a process that takes far longer helps nobody. */
const LIMIT_MS = 300_000;
/** A graph takes a third of a millisecond a vector of 64 numbers, and several times that for wider ones; nothing waits for it. */
const GRAPH_LIMIT_MS = 3_600_000;
/** In MiB: JavaScript's own, which has texts and some small tables, and all that the process takes. */
export interface IndexLimits {
  readonly heapMb: number;
  readonly memoryMb: number;
}
/** The largest session (`session/room.ts`) and what making its index takes are below them. */
const LIMITS: IndexLimits = { heapMb: 1_024, memoryMb: 3_072 };
/** No process has made more. */
const ANSWER_BYTES = LIMITS.memoryMb * 1024 ** 2;
/** The retrieval library, and what the kernel beside it is made of. */
const PACKAGES = ['@usufruct/retrieval', '@scure/base'];

export interface MadeIndex {
  readonly matrix: TermMatrix;
  readonly lsa: LsaIndex | null;
}

/** Each rejects where it is aborted, or the process died, took too long or answered what is no answer. */
export interface IndexMaker {
  /** Which words stand in which text, and LSA of that. */
  make(texts: readonly string[], signal: AbortSignal): Promise<MadeIndex>;
  /** The first alone. */
  read(texts: readonly string[], signal: AbortSignal): Promise<TermMatrix>;
  /** The second alone; null where there are too few passages. */
  fit(matrix: TermMatrix, signal: AbortSignal): Promise<LsaIndex | null>;
  /** The same vectors with everything in their graph. */
  link(dense: DenseIndex, signal: AbortSignal): Promise<DenseIndex>;
}

export const startIndexHost = ({ heapMb, memoryMb }: IndexLimits = LIMITS): ChildProcess =>
  forkAlone(import.meta.url, 'index-host', { packages: PACKAGES, heapMb, args: [String(memoryMb * 1024 ** 2)] });

/**
 * In a process of its own with limits on memory and time, so that the runner answers meanwhile, and whatever contributors
 * have written ends that process at worst; one of a kind at a time, for each takes a processor and memory. It ends with
 * its answer or with the signal: of what it was given nothing stays behind.
 */
export class IndexProcess implements IndexMaker {
  #lastIndex: Promise<unknown> = Promise.resolve();
  #lastGraph: Promise<unknown> = Promise.resolve();

  constructor(private readonly start: () => ChildProcess = startIndexHost) {}

  async make(texts: readonly string[], signal: AbortSignal): Promise<MadeIndex> {
    const { matrix, lsa } = await this.#ofTexts(texts, true, signal);
    return { matrix, lsa: lsaOf(lsa) };
  }

  async read(texts: readonly string[], signal: AbortSignal): Promise<TermMatrix> {
    return (await this.#ofTexts(texts, false, signal)).matrix;
  }

  async fit(matrix: TermMatrix, signal: AbortSignal): Promise<LsaIndex | null> {
    if (matrix.size <= PASSAGES_HERE && matrix.passages.length <= CHARS_HERE) return lsaOf(fitted(matrix));
    return lsaOf((await this.#index({ matrix }, signal)).lsa);
  }

  async link(dense: DenseIndex, signal: AbortSignal): Promise<DenseIndex> {
    const { vectors, width, graph } = dense;
    const job = { vectors, width, graph: graph && linksOf(graph) };
    const made = this.#lastGraph.then(() => this.#alone(job, signal, GRAPH_LIMIT_MS));
    this.#lastGraph = made.catch(() => undefined);
    return dense.withGraph((await made).graph);
  }

  #ofTexts(texts: readonly string[], hasLsa: boolean, signal: AbortSignal) {
    const job = { texts, hasLsa };
    const isSmall = texts.length <= PASSAGES_HERE && texts.reduce((sum, { length }) => sum + length, 0) <= CHARS_HERE;
    return isSmall ? readTexts(job) : this.#index(job, signal);
  }

  #index<J extends Job>(job: J, signal: AbortSignal): Promise<ReplyTo<J>> {
    const made = this.#lastIndex.then(() => this.#alone(job, signal, LIMIT_MS));
    this.#lastIndex = made.catch(() => undefined);
    return made;
  }

  async #alone<J extends Job>(job: J, signal: AbortSignal, limitMs: number): Promise<ReplyTo<J>> {
    const said = await this.#saidTo(job, signal, limitMs);
    if (await inTurns(isReplyTo(job, said))) return said as ReplyTo<J>;
    throw new Error('the process of an index answered what is none');
  }

  async #saidTo(job: Job, signal: AbortSignal, limitMs: number): Promise<unknown> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const child = this.start();
    const arriving = new Arriving(ANSWER_BYTES);
    const ends = (why: string) => (): void => reject(new Error(why));
    const onAbort = ends('aborted');
    const timer = setTimeout(ends('the index took too long'), limitMs);
    signal.addEventListener('abort', onAbort);
    child.on('error', reject).on('exit', ends('the process of an index ended'));
    child.on('message', (message) => {
      try {
        const reply = arriving.take(message as Message);
        if (reply !== undefined) resolve(reply);
      } catch (error) {
        reject(error);
      }
    });
    try {
      // One that cannot take it is dying, and says so.
      sendAll(child, job, signal).catch(() => undefined);
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      child.kill('SIGKILL');
    }
  }
}

/** One piece after another, each when the one before it is on its way: nothing waits for the whole. */
async function sendAll(child: ChildProcess, job: Job, signal: AbortSignal): Promise<void> {
  for (const message of inPieces(job)) {
    if (signal.aborted) return;
    await new Promise<void>((resolve, reject) =>
      child.send(message, (error) => (error === null ? resolve() : reject(error))),
    );
  }
}

const lsaOf = (parts: LsaParts): LsaIndex | null => parts && new LsaIndex(parts.basis, parts.passages);
