import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { fromWire, refuse } from '@usufruct/kernel';
import { LIMITS, toWireJson } from '@usufruct/protocol';

export interface JsonRequest {
  /** What the other process is called in errors. */
  readonly upstream: string;
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly body?: unknown;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

/**
 * One HTTP exchange of JSON. Throws what the other process said (`fromWire`), `UPSTREAM_UNAVAILABLE` when it did not
 * answer in time, and `UPSTREAM_INVALID` for an answer that is no JSON or exceeds 8 MiB. A timeout does not tell
 * whether the request was carried out.
 */
export async function exchangeJson(request: JsonRequest): Promise<unknown> {
  const reply = await exchange(request);
  const body = parse(reply.text, request.upstream);
  if (reply.status >= 200 && reply.status < 300) return body;
  throw fromWire(body, request.upstream);
}

function exchange(request: JsonRequest): Promise<Reply> {
  const url = new URL(request.url);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const payload = request.body === undefined ? undefined : toWireJson(request.body);
  const deadline = AbortSignal.timeout(request.timeoutMs);
  const signal = request.signal === undefined ? deadline : AbortSignal.any([deadline, request.signal]);
  const headers = payload === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((done, fail) => {
    const failed = (cause: unknown) => fail(refuse('UPSTREAM_UNAVAILABLE', { upstream: request.upstream }, cause));
    const outgoing = send(url, { method: request.method, headers, signal }, (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > LIMITS.httpBodyBytes) {
          incoming.destroy();
          fail(refuse('UPSTREAM_INVALID', { upstream: request.upstream, field: 'size' }));
        } else chunks.push(chunk);
      });
      incoming.on('error', failed);
      incoming.on('end', () =>
        done({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    outgoing.on('error', failed);
    outgoing.end(payload);
  });
}

function parse(text: string, upstream: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refuse('UPSTREAM_INVALID', { upstream, field: 'json' });
  }
}
