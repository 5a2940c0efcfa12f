/** What is asked of `fetch` here: text there and back. */
export type WebFetch = (
  url: string,
  init: Pick<RequestInit, 'method'> & {
    readonly body?: string;
    readonly headers?: Record<string, string>;
    readonly signal: AbortSignal;
  },
) => Promise<Pick<Response, 'ok' | 'text'>>;

/** The same with a limit of its own for request and answer together. A caller's abort is passed on as it is. */
export type TextFetch = (
  url: string,
  init: Omit<Parameters<WebFetch>[1], 'signal'> & {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal | undefined;
  },
) => ReturnType<WebFetch>;

export const withTimeout =
  (fetch: WebFetch): TextFetch =>
  (url, { timeoutMs, signal, ...init }) => {
    const limit = AbortSignal.timeout(timeoutMs);
    return fetch(url, { ...init, signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) });
  };

type ClientRequest = ReturnType<ReturnType<typeof process.getBuiltinModule<'node:http'>>['request']>;
const node = globalThis.process?.getBuiltinModule === undefined ? undefined : globalThis.process;

/**
 * `fetch`; in Node its HTTP client over the connections that its global agents keep, for less than half the processor
 * time: a question waits for several such requests. Unlike `fetch` it follows no redirection. Only for what may be asked
 * twice: a kept connection can be closed by the server in the moment in which it is used again, and nobody knows then
 * whether the request arrived; it is sent again, once, over a new one.
 */
export const textFetch: TextFetch =
  node === undefined
    ? withTimeout((url, init) => globalThis.fetch(url, init))
    : (url, { body, timeoutMs, signal, ...init }) => {
        const { request } = url.startsWith('https:')
          ? node.getBuiltinModule('node:https')
          : node.getBuiltinModule('node:http');
        const options = signal === undefined ? init : { ...init, signal };
        const untilMs = performance.now() + timeoutMs;
        const overNew = () => answerOf(request(url, { ...options, agent: false }), body, untilMs);
        return answerOf(request(url, options), body, untilMs, overNew);
      };

/** `again` is for a kept connection that is cut before anything of an answer came. */
function answerOf(
  request: ClientRequest,
  body: string | undefined,
  untilMs: number,
  again?: () => ReturnType<TextFetch>,
): ReturnType<TextFetch> {
  // Not a signal: making one and listening to it takes as long as a tenth of a request.
  const limit = setTimeout(() => request.destroy(new Error('no answer in time')), untilMs - performance.now());
  const answer = new Promise<Awaited<ReturnType<TextFetch>>>((resolve, reject) => {
    let hasBegun = false;
    request.on('error', (error) => {
      if (again !== undefined && request.reusedSocket && !hasBegun && isCut(error)) resolve(again());
      else reject(error);
    });
    request.once('response', (response) => {
      hasBegun = true;
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => (text += piece));
      response.on('error', reject);
      const { statusCode = 0 } = response;
      response.once('end', () => resolve({ ok: statusCode >= 200 && statusCode < 300, text: async () => text }));
    });
    // With the whole body at once its length is in the headers.
    request.end(body);
  });
  return answer.finally(() => clearTimeout(limit));
}

const isCut = (error: Error): boolean => 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
