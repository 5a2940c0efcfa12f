import { Injectable } from '@nestjs/common';
import { refuse, toUsufructError, type Address, type JobId, type QuestionId } from '@usufruct/kernel';
import { LIMITS, parseAt, zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import { openLines } from '../../platform/http/index.js';
import { JobDispatch } from '../job/index.js';
import { QuestionService } from './question.service.js';

const zWanted = z.object({
  jobId: zHex32<JobId>(),
  questionId: zHex32<QuestionId>(),
  after: z.coerce.number().int().min(0).max(LIMITS.streamRecords).default(0),
});
export type WantedStream = z.input<typeof zWanted>;

/** As long as a session may last. */
const LONGEST_MS = LIMITS.sessionTermMs;
/** At once, of one asker: each holds a connection here and one at a runner. */
const MOST_OPEN = 32;

/** Relays the pieces of an answer to who asked the question, blindly; nothing is kept of them. */
@Injectable()
export class AnswerStreams {
  private readonly openBy = new Map<Address, number>();
  constructor(
    private readonly questions: QuestionService,
    private readonly dispatch: JobDispatch,
  ) {}

  /** Refuses `NOT_FOUND` for what others asked, `RATE_LIMITED`, `QUESTION_UNKNOWN` where no runner has it (yet). */
  async open(viewer: Address, wanted: unknown): Promise<AsyncIterable<Buffer>> {
    const { jobId, questionId, after } = parseAt(zWanted, wanted, 'stream');
    if ((await this.questions.question(viewer, jobId, questionId)) === null) throw refuse('NOT_FOUND');
    const open = this.openBy.get(viewer) ?? 0;
    if (open >= MOST_OPEN) throw refuse('RATE_LIMITED', { streams: String(MOST_OPEN) });
    this.openBy.set(viewer, open + 1);
    const release = once(() => this.release(viewer));
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(LONGEST_MS)]);
    // Also of a stream that nobody has begun to read.
    signal.addEventListener('abort', release, { once: true });
    try {
      const path = `/v1/jobs/${jobId}/questions/${questionId}/stream?after=${after}`;
      const lines = await this.linesAt(await this.dispatch.runnersOf(jobId), path, signal);
      return relayed(lines, () => ending.abort());
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Of the first that has them. Whoever only reads moves no job to another runner. */
  private async linesAt(urls: readonly string[], path: string, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    let refusal = refuse('RUNNER_UNAVAILABLE');
    for (const url of urls) {
      try {
        return await openLines({ upstream: 'runner', url: `${url}${path}`, signal, bytesAtMost: LIMITS.httpBodyBytes });
      } catch (error) {
        refusal = toUsufructError(error);
      }
    }
    throw refusal;
  }

  private release(viewer: Address): void {
    const open = (this.openBy.get(viewer) ?? 1) - 1;
    if (open > 0) this.openBy.set(viewer, open);
    else this.openBy.delete(viewer);
  }
}

/** A runner that dies ends the stream: the reader sees that its last piece is missing. */
async function* relayed(lines: AsyncIterable<Buffer>, whenOver: () => void): AsyncGenerator<Buffer, void> {
  try {
    yield* lines;
  } catch {
    return;
  } finally {
    whenOver();
  }
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}
