import { setTimeout as sleep } from 'node:timers/promises';
import { equalBytes, refuse, type Clock, type JobId, type QuestionId } from '@usufruct/kernel';
import {
  STREAM_BEAT_MS,
  type AskAnswer,
  type StreamLine,
  type StreamPhase,
  type StreamRecord,
} from '@usufruct/protocol';
import type { AnswerRecord } from '../../receipt/store.js';

const KEEP_MS = 10 * 60_000;
const MOST_KEPT = 256;
const LOOK_EVERY_MS = 250;

export interface FollowedQuestion {
  /** What became of it; refuses `QUESTION_UNKNOWN`. */
  readonly read: () => AskAnswer;
  /** Resolves when it may have changed. */
  readonly changed: () => Promise<unknown>;
}

/**
 * Answers in pieces, for a while and in memory only: a process that comes after has the answer and no pieces of it. None
 * is told before its receipt is settled: the requester may close the job at any time, and what he had read by then
 * would be paid by nobody.
 */
export class StreamDesk {
  readonly #pieces = new Map<string, { readonly records: readonly StreamRecord[]; readonly untilMs: number }>();

  constructor(
    private readonly clock: Clock,
    private readonly beatMs = STREAM_BEAT_MS,
  ) {}

  /** Of an answer as it was stored; those of another one under the same id are nobody's. */
  keep(stored: AnswerRecord, receipt: Uint8Array, records: readonly StreamRecord[]): void {
    if (records.length === 0 || !equalBytes(stored.receipt, receipt)) return;
    const nowMs = this.clock.nowMs();
    for (const [key, { untilMs }] of this.#pieces) {
      if (untilMs <= nowMs || this.#pieces.size >= MOST_KEPT) this.#pieces.delete(key);
    }
    this.#pieces.set(keyOf(stored.jobId, stored.questionId), { records, untilMs: nowMs + KEEP_MS });
  }

  /** Lines until there is nothing more to tell. Refuses `QUESTION_UNKNOWN`. */
  async *lines(
    jobId: JobId,
    questionId: QuestionId,
    after: number,
    { read, changed }: FollowedQuestion,
    signal: AbortSignal,
  ): AsyncGenerator<StreamLine, void> {
    let told: { readonly phase: StreamPhase | null; readonly atMs: number } = { phase: null, atMs: 0 };
    while (!signal.aborted) {
      const { state, error } = read();
      if (state === 'failed') {
        const wire = error ?? refuse('INTERNAL').toWire();
        return yield { kind: 'failed', error: { ...wire, details: { ...wire.details } } };
      }
      if (state === 'settled') return yield* this.#settled(jobId, questionId, after);
      const nowMs = this.clock.nowMs();
      if (told.phase !== state || nowMs - told.atMs >= this.beatMs) {
        told = { phase: state, atMs: nowMs };
        yield { kind: 'progress', phase: state };
      }
      const look = sleep(LOOK_EVERY_MS, undefined, { signal, ref: false });
      await Promise.race([look, changed()]).catch(() => undefined);
    }
  }

  *#settled(jobId: JobId, questionId: QuestionId, after: number): Generator<StreamLine, void> {
    const kept = this.#pieces.get(keyOf(jobId, questionId));
    if (kept === undefined) return yield { kind: 'whole' };
    yield* kept.records.slice(after);
  }
}

const keyOf = (jobId: JobId, questionId: QuestionId): string => `${jobId}/${questionId}`;
