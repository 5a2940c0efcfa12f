/** What is asked of `fetch` here: text there and back. */
export type TextFetch = (
  url: string,
  init: Pick<RequestInit, 'method'> & {
    readonly body?: string;
    readonly headers?: Record<string, string>;
    readonly signal: AbortSignal;
  },
) => Promise<Pick<Response, 'ok' | 'text'>>;

type NodeHttp = ReturnType<typeof process.getBuiltinModule<'node:http'>>;
const node = globalThis.process?.getBuiltinModule === undefined ? undefined : globalThis.process;

/**
 * `fetch`; in Node its HTTP client over the connections that its global agents keep, for less than half the processor
 * time: a question waits for several such requests. Unlike `fetch` it follows no redirection.
 */
export const textFetch: TextFetch =
  node === undefined
    ? (url, init) => globalThis.fetch(url, init)
    : (url, { body, ...init }) => {
        const { request } = url.startsWith('https:')
          ? node.getBuiltinModule('node:https')
          : node.getBuiltinModule('node:http');
        return answerOf(request(url, init), body);
      };

function answerOf(request: ReturnType<NodeHttp['request']>, body: string | undefined): ReturnType<TextFetch> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.once('response', (response) => {
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
}
