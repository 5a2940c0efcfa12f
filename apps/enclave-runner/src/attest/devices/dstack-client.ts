import { refuse, fromUtf8 } from '@usufruct/kernel';
import { request } from 'node:http';

const ANSWER_BYTES_AT_MOST = 8 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/** One call of dstack's guest agent. */
export type DstackCall = (method: 'GetQuote' | 'EmitEvent' | 'Info', body: object) => Promise<unknown>;

/**
 * dstack's guest agent on its Unix socket: HTTP with JSON, as its API documentation describes it. Spoken here directly
 * because the runner's imports are its trusted computing base, and because `@phala/dstack-sdk` (0.5.8) reads answers
 * without a limit, takes no notice of HTTP's status and lets an event that was not measured pass for one that was.
 *
 * An empty answer (EmitEvent's) gives null. Refuses `UPSTREAM_UNAVAILABLE` and `UPSTREAM_INVALID`.
 */
export function dstackClient(socketPath: string, timeoutMs: number = TIMEOUT_MS): DstackCall {
  return async (method, body) => {
    const { status, bytes } = await post(socketPath, `/${method}`, JSON.stringify(body), timeoutMs);
    if (status !== 200)
      throw refuse('UPSTREAM_INVALID', { upstream: "dstack's guest agent", method, status: `${status}` });
    const answer = bytes.length === 0 ? null : jsonOf(bytes, method);
    if (typeof answer === 'object' && answer !== null && 'error' in answer) {
      throw refuse('UPSTREAM_INVALID', { upstream: "dstack's guest agent", method });
    }
    return answer;
  };
}

interface Answer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

function post(socketPath: string, path: string, body: string, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => (cause?: unknown) =>
      reject(refuse('UPSTREAM_UNAVAILABLE', { upstream: "dstack's guest agent", reason }, cause));
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), host: 'dstack' };
    const signal = AbortSignal.timeout(timeoutMs);
    const call = request({ socketPath, path, method: 'POST', headers, signal, agent: false }, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        parts.push(part);
        if (size > ANSWER_BYTES_AT_MOST) response.destroy(new Error('too large'));
      });
      response.on('error', fail('its answer broke off'));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, bytes: new Uint8Array(Buffer.concat(parts)) }),
      );
    });
    call.on('error', fail('no answer on its socket'));
    call.end(body);
  });
}

function jsonOf(bytes: Uint8Array, method: string): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch (cause) {
    throw refuse('UPSTREAM_INVALID', { upstream: "dstack's guest agent", method, expected: 'JSON' }, cause);
  }
}
