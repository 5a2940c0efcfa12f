import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { lstat } from 'node:fs/promises';
import { refuse, toUsufructError, type UsufructError } from '@usufruct/kernel';
import type { ModelServerAddress } from './address.js';

const UPSTREAM = 'model server';
/** It has too much to do, or is not there yet: llama.cpp answers 503 while it loads its model. */
const BUSY = ['429', '503'];

export interface ModelRequest {
  /** Under the address's own path: `chat/completions`. */
  readonly endpoint: string;
  readonly body: unknown;
  /** Aborts the request: the server is left alone at once. */
  readonly signal: AbortSignal;
  /** From the first byte sent to the last one read. */
  readonly timeoutMs: number;
  readonly bytesAtMost: number;
}

/**
 * POST to a model server and read what it answers as it comes. It is asked at its literal address, and only there: no
 * name is looked up, no proxy asked, no redirect followed, no connection kept; a socket is a socket and no link to one.
 *
 * Refuses `UPSTREAM_UNAVAILABLE` when it does not answer in time or says that it is busy, and `UPSTREAM_INVALID` for another status than 200 and
 * for more bytes than it may send. What it sends is not checked.
 */
export async function* postToModel(address: ModelServerAddress, request: ModelRequest): AsyncGenerator<Uint8Array> {
  const deadline = AbortSignal.timeout(request.timeoutMs);
  const signal = AbortSignal.any([request.signal, deadline]);
  let outgoing: ClientRequest | undefined;
  try {
    if (address.kind === 'unix') await requireSocket(address.socketPath);
    outgoing = openRequest(address, request, signal);
    const answer = await answerOf(outgoing, JSON.stringify(request.body));
    const status = String(answer.statusCode);
    if (BUSY.includes(status)) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: UPSTREAM, reason: 'busy', status });
    if (status !== '200') throw refuse('UPSTREAM_INVALID', { upstream: UPSTREAM, status });
    let sizeBytes = 0;
    for await (const bytes of answer as AsyncIterable<Buffer>) {
      sizeBytes += bytes.length;
      if (sizeBytes > request.bytesAtMost) throw refuse('UPSTREAM_INVALID', { upstream: UPSTREAM, field: 'size' });
      yield bytes;
    }
    // A server that dies ends its connection, not its answer.
    if (!answer.complete) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: UPSTREAM, reason: 'cut short' });
  } catch (cause) {
    throw asRefusal(cause, deadline.aborted);
  } finally {
    outgoing?.destroy();
  }
}

/** The whole answer as parsed JSON, unchecked. Refuses as `postToModel`, and `UPSTREAM_INVALID` for no JSON. */
export async function postForJson(address: ModelServerAddress, request: ModelRequest): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  for await (const piece of postToModel(address, request)) pieces.push(piece);
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8')) as unknown;
  } catch {
    throw refuse('UPSTREAM_INVALID', { upstream: UPSTREAM, field: 'json' });
  }
}

function openRequest(address: ModelServerAddress, { endpoint }: ModelRequest, signal: AbortSignal): ClientRequest {
  const where =
    address.kind === 'unix' ? { socketPath: address.socketPath } : { host: address.host, port: address.port };
  return httpRequest({
    ...where,
    path: `${address.path}/${endpoint}`,
    method: 'POST',
    headers: { host: 'model-server', 'content-type': 'application/json', connection: 'close' },
    // Of its own: the process's global agent may be told of a proxy by the environment.
    agent: new Agent({ keepAlive: false }),
    lookup: (_name, _options, callback) => callback(new Error('no names'), '', 4),
    signal,
  });
}

const answerOf = (outgoing: ClientRequest, body: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject).end(body);
  });

async function requireSocket(path: string): Promise<void> {
  if (!(await lstat(path)).isSocket())
    throw refuse('UPSTREAM_UNAVAILABLE', { upstream: UPSTREAM, reason: 'no socket' });
}

function asRefusal(cause: unknown, isLate: boolean): UsufructError {
  const known = toUsufructError(cause);
  if (known.code !== 'INTERNAL') return known;
  return refuse('UPSTREAM_UNAVAILABLE', { upstream: UPSTREAM, reason: isLate ? 'timeout' : 'connection' }, cause);
}
