import { chainInfoOf } from '@usufruct/chain';
import { fromBase64, parseJson, UsufructError, type JobId } from '@usufruct/kernel';
import { LIMITS, zStreamLine, type StreamLine, type StreamPart } from '@usufruct/protocol';
import type { ClientContext } from '../context.js';
import { pause } from '../wait.js';
import { AnswerPieces, streamBroken } from './answer-pieces.js';
import type { QuestionRecord } from './question-record.js';

const PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;
const MOST_LINE_CHARS = 2 * LIMITS.streamRecordBytes;

/**
 * The pieces of an answer as they come; a connection that breaks is made again where it broke off. Ends after the last
 * piece, or without it where there are no pieces to be had: then the answer comes the ordinary way. Never rejects for
 * what a network does; refuses `STREAM_BROKEN` for pieces that are not what an attested runner sent.
 */
export async function* followStream(
  context: ClientContext,
  jobId: JobId,
  record: () => QuestionRecord,
  signal: AbortSignal,
): AsyncGenerator<StreamPart, void> {
  const { questionId, responsePrivateKey } = record();
  const pieces = new AnswerPieces({
    info: await chainInfoOf(context.chain),
    jobId,
    questionId,
    responsePrivateKey: fromBase64(responsePrivateKey),
    runnerSigningKeys: () => record().attempts.map(({ runnerSigningKey }) => fromBase64(runnerSigningKey)),
  });
  for (let pauseMs = PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const path = `/v1/jobs/${jobId}/questions/${questionId}/stream?after=${pieces.count}`;
    try {
      const response = await context.api.open(path, signal);
      if (response === null) return;
      for await (const line of linesOf(response)) {
        if (line.kind === 'whole' || line.kind === 'failed') return;
        if (line.kind === 'progress') continue;
        yield await pieces.take(line);
        pauseMs = PAUSE_MS;
        if (pieces.end !== null) return;
      }
    } catch (error) {
      if (error instanceof UsufructError && error.code === 'STREAM_BROKEN') throw error;
      // The network: tried again, while the answer is waited for the ordinary way.
    }
    await pause(pauseMs, signal).catch(() => undefined);
  }
}

/** A last line without its end was cut off, and comes again with the next connection. */
async function* linesOf(response: Response): AsyncGenerator<StreamLine, void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of bytesOf(response)) {
    text += decoder.decode(bytes, { stream: true });
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      const line = zStreamLine.safeParse(parseJson(text.slice(0, end)));
      text = text.slice(end + 1);
      if (!line.success) throw streamBroken('FORM');
      yield line.data;
    }
    if (text.length > MOST_LINE_CHARS) throw streamBroken('FORM');
  }
}

/** Not `for await` over the body: not every browser has that. */
async function* bytesOf(response: Response): AsyncGenerator<Uint8Array, void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
