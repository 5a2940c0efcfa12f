import type { ServerResponse } from 'node:http';
import { toUsufructError } from '@usufruct/kernel';
import { toWireJson } from '@usufruct/protocol';
import type { PaidAnswer } from '@usufruct/sdk';
import { chunksOf, type AnswerContext } from './chat-answer.js';
import { openaiError, sendOpenaiError } from './errors.js';

/** A client that hears nothing for longer may take the connection for dead. */
const BEAT_MS = 10_000;

/** Of several datasets in their order, one after the other. */
export const answerHeaders = (answers: readonly PaidAnswer[]): Record<string, string> => ({
  'x-receipt-id': answers.map(({ receiptId }) => receiptId).join(', '),
  'x-attestation-digest': answers.map(({ evidenceDigest }) => evidenceDigest).join(', '),
});

/**
 * The answer as server-sent events, a chunk for each sentence. Nothing of an answer is shown before its receipt is
 * settled and checked, so they come together, and what is refused before that has its own HTTP status. After a wait the
 * headers leave with the first comment; the receipt's id is then in the last chunk alone, and an error in an event.
 */
export async function sendStream(
  response: ServerResponse,
  answer: Promise<AnswerContext>,
  signal: AbortSignal,
): Promise<void> {
  const beat = setInterval(() => {
    if (!response.headersSent) begin(response, {});
    response.write(': waiting\n\n');
  }, BEAT_MS);
  const stop = (): void => clearInterval(beat);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const context = await answer;
    if (response.destroyed) return;
    if (!response.headersSent) begin(response, answerHeaders(context.answers));
    for (const chunk of chunksOf(context)) response.write(`data: ${toWireJson(chunk)}\n\n`);
    response.end('data: [DONE]\n\n');
  } catch (thrown) {
    const error = toUsufructError(thrown);
    if (!response.headersSent) return sendOpenaiError(response, error);
    if (!response.destroyed) response.end(`data: ${JSON.stringify(openaiError(error))}\n\n`);
  } finally {
    stop();
  }
}

function begin(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-store',
    'x-accel-buffering': 'no',
    ...headers,
  });
}
