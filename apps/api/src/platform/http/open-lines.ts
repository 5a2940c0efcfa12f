import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { fromWire, parseJson, refuse, UsufructError } from '@usufruct/kernel';

export interface LinesRequest {
  /** What the other process is called in errors. */
  readonly upstream: string;
  readonly url: string;
  readonly signal: AbortSignal;
  readonly bytesAtMost: number;
}

const REFUSAL_BYTES = 64 * 1024;

/**
 * GET what comes in pieces: resolves when it begins, with the bytes as they come and no more than allowed. Throws what
 * the other process refused, and `UPSTREAM_UNAVAILABLE` when it does not answer. What the bytes say is not looked at.
 */
export async function openLines(request: LinesRequest): Promise<AsyncIterable<Buffer>> {
  const { upstream, bytesAtMost } = request;
  try {
    const incoming = await responseOf(request);
    if (incoming.statusCode === 200) return upTo(incoming, bytesAtMost);
    const pieces: Buffer[] = [];
    for await (const piece of upTo(incoming, REFUSAL_BYTES)) pieces.push(piece);
    throw fromWire(parseJson(Buffer.concat(pieces).toString('utf8')), upstream);
  } catch (cause) {
    throw cause instanceof UsufructError ? cause : refuse('UPSTREAM_UNAVAILABLE', { upstream }, cause);
  }
}

const responseOf = ({ url, signal }: LinesRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    send(new URL(url), { method: 'GET', signal }, resolve).on('error', reject).end();
  });

/** What is more is cut off: whoever reads knows that the end is missing. */
async function* upTo(incoming: IncomingMessage, bytesAtMost: number): AsyncGenerator<Buffer, void> {
  let sizeBytes = 0;
  try {
    for await (const piece of incoming as AsyncIterable<Buffer>) {
      sizeBytes += piece.length;
      if (sizeBytes > bytesAtMost) return;
      yield piece;
    }
  } finally {
    incoming.destroy();
  }
}
