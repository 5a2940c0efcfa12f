import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fromUtf8, refuse } from '@usufruct/kernel';
import { LIMITS, toWireJson } from '@usufruct/protocol';

/** The whole body. Refuses `REQUEST_TOO_LARGE` at the first byte over the limit, `MALFORMED_REQUEST` if it breaks off. */
export async function readBytes(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      sizeBytes += piece.length;
      if (sizeBytes > limitBytes) break;
      pieces.push(piece);
    }
  } catch (cause) {
    throw refuse('MALFORMED_REQUEST', { part: 'body' }, cause);
  }
  if (sizeBytes > limitBytes) throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(limitBytes) });
  return Buffer.concat(pieces);
}

/** The body as parsed JSON, unchecked: the caller parses it. Refuses as `readBytes`, and `MALFORMED_REQUEST` for no JSON. */
export async function readJson(request: IncomingMessage, limitBytes: number = LIMITS.httpBodyBytes): Promise<unknown> {
  const bytes = await readBytes(request, limitBytes);
  try {
    return JSON.parse(fromUtf8(bytes)) as unknown;
  } catch {
    throw refuse('MALFORMED_REQUEST', { expected: 'JSON' });
  }
}

/** Answers with JSON text; a client that is gone gets nothing. */
export function sendJson(response: ServerResponse, status: number, text: string): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(text);
}

/**
 * Answers with lines of JSON as they come, no faster than they are read. What is refused before the first line is
 * answered as any refusal is; after it the connection breaks off.
 */
export async function sendLines(
  response: ServerResponse,
  values: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const headers = { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
  for await (const value of values) {
    if (signal.aborted) break;
    if (!response.headersSent) response.writeHead(200, headers);
    if (!response.write(`${toWireJson(value)}\n`)) await once(response, 'drain', { signal }).catch(() => undefined);
  }
  if (!response.headersSent && !response.destroyed) response.writeHead(200, headers);
  response.end();
}
