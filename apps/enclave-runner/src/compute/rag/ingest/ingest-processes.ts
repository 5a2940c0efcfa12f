import type { ChildProcess } from 'node:child_process';
import { refuse } from '@usufruct/kernel';
import { tooComplex } from '../parse/refusal.js';
import { forkAlone } from '../process/fork-alone.js';
import { answerFrom } from './ingest-answer.js';
import type { IngestAnswer, IngestJob } from './ingest-bytes.js';
import type { HostAnswer } from './ingest-host.js';
import { isReadiness } from './ready.js';

export interface IngestHost {
  readonly process: ChildProcess;
  readonly heapMb: number;
  documents: number;
  /** Its thread runs: what goes wrong from now on is about a document. */
  isReady: boolean;
  isDead: boolean;
  idleTimer?: NodeJS.Timeout;
}

/** Each may take what `ParseLimits` give one document. */
const MAX_HOSTS = 4;
/** What one document leaves behind in a parser is not handed on for ever. */
const DOCUMENTS_A_HOST = 200;
const IDLE_MS = 5_000;
/** A host counts the processor time of a document by itself; this is for one that waits, or no longer counts. */
const CLOCK_MS_A_PROCESSOR_MS = 5;
const START_MS = 30_000;
/** The one that is imported from outside the runner's own folders; the others lie beside it. */
export const PARSERS = ['unpdf'];

/**
 * Processes that read one document at a time (`ingest-host.ts`). One that has refused a document is ended: what it met
 * may still be in it. An idle one waits five seconds for the next, and ends with this process in any case.
 * They have no key and no other document than those that they read.
 */
export class IngestProcesses {
  readonly #idle: IngestHost[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(private readonly start: (heapMb: number) => IngestHost = startHost) {}

  /** A document over which its process died is `DOCUMENT_TOO_COMPLEX`. Refuses `RUNNER_UNAVAILABLE` where none could be started. */
  async run(job: IngestJob): Promise<IngestAnswer> {
    while (this.#busy >= MAX_HOSTS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy++;
    try {
      const first = await this.#runIn(this.#taken(job.limits.parserHeapMb), job);
      if (first.isThreadSound || !first.wasUsed) return first.answer;
      // It may have died of what another document had left there.
      return (await this.#runIn(this.#started(job.limits.parserHeapMb), job)).answer;
    } finally {
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }

  async #runIn(host: IngestHost, job: IngestJob): Promise<HostAnswer & { readonly wasUsed: boolean }> {
    const wasUsed = host.documents > 0;
    host.documents++;
    let isSound = false;
    try {
      const found = await answerOf(host, job);
      isSound = found.isThreadSound && 'reply' in found.answer;
      return { ...found, wasUsed };
    } finally {
      this.#release(host, isSound);
    }
  }

  #taken(heapMb: number): IngestHost {
    const place = this.#idle.findIndex((host) => host.heapMb === heapMb && !host.isDead);
    const host = place === -1 ? this.#started(heapMb) : this.#idle.splice(place, 1)[0]!;
    clearTimeout(host.idleTimer);
    host.process.ref();
    host.process.channel?.ref();
    return host;
  }

  #started(heapMb: number): IngestHost {
    try {
      return this.start(heapMb);
    } catch (cause) {
      throw noProcess(cause);
    }
  }

  #release(host: IngestHost, isSound: boolean): void {
    host.process.unref();
    host.process.channel?.unref();
    if (!isSound || host.documents >= DOCUMENTS_A_HOST) {
      host.process.kill('SIGKILL');
      return;
    }
    this.#idle.push(host);
    host.idleTimer = setTimeout(() => {
      const place = this.#idle.indexOf(host);
      if (place === -1) return;
      this.#idle.splice(place, 1);
      host.process.kill('SIGKILL');
    }, IDLE_MS).unref();
  }
}

export const startHost = (heapMb: number): IngestHost =>
  hostOf(forkAlone(import.meta.url, 'ingest-host', { packages: PARSERS }), heapMb);

export function hostOf(process: ChildProcess, heapMb: number): IngestHost {
  const host: IngestHost = { process, heapMb, documents: 0, isReady: false, isDead: false };
  const onDead = (): void => void (host.isDead = true);
  // Between two documents nobody else listens.
  process.on('error', onDead).on('exit', onDead);
  process.on('message', (message) => {
    if (isReadiness(message)) host.isReady = true;
  });
  return host;
}

async function answerOf(host: IngestHost, job: IngestJob): Promise<HostAnswer> {
  const { process: child } = host;
  const { parserHeapMb, parserTimeMs } = job.limits;
  const { promise, resolve, reject } = Promise.withResolvers<HostAnswer>();
  const onMessage = (said: unknown): void => {
    if (isReadiness(said)) return;
    resolve(answerFrom(said, job.limits) ?? overLimit('a process that answers as it should'));
  };
  const onOver = (limit: string): void => (host.isReady ? resolve(overLimit(limit)) : reject(noProcess()));
  const onError = (cause: Error): void => reject(noProcess(cause));
  const onExit = (): void => onOver(`${parserHeapMb} MiB of memory`);
  const timer = setTimeout(() => onOver(`${parserTimeMs} ms`), START_MS + CLOCK_MS_A_PROCESSOR_MS * parserTimeMs);
  child.on('message', onMessage).on('error', onError).on('exit', onExit);
  try {
    // One that cannot take it is dying, and says so.
    if (host.isDead) onExit();
    else child.send(job, () => undefined);
    return await promise;
  } finally {
    clearTimeout(timer);
    child.off('message', onMessage).off('error', onError).off('exit', onExit);
  }
}

/** That passes, and the document is read then. */
const noProcess = (cause?: unknown) =>
  refuse('RUNNER_UNAVAILABLE', { reason: 'no process to read documents in' }, cause);

function overLimit(limit: string): HostAnswer {
  const { code, details } = tooComplex(limit);
  return { answer: { refusal: { code, details } }, isThreadSound: false };
}
