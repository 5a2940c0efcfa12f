import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export type Handler = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

export interface HostileServer {
  readonly url: string;
  /** `GET /path`, in order. */
  readonly seen: string[];
  close(): void;
}

/** Each request gets the next handler, when its body has come; the last one stays. */
export async function hostileServer(handlers: readonly Handler[]): Promise<HostileServer> {
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const handler = handlers[Math.min(seen.length, handlers.length - 1)]!;
    seen.push(`${incoming.method} ${incoming.url}`);
    incoming.resume();
    incoming.on('end', () => handler(incoming, outgoing));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    seen,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** An answer; an object is sent as JSON. */
export const says =
  (status: number, body: unknown, contentType = 'application/json', headers: Record<string, string> = {}): Handler =>
  (_, outgoing) =>
    outgoing
      .writeHead(status, { 'content-type': contentType, ...headers })
      .end(typeof body === 'object' && !(body instanceof Uint8Array) ? JSON.stringify(body) : body);

export const givesBlob = (bytes: Uint8Array): Handler =>
  says(200, bytes, 'application/octet-stream', { 'content-length': String(bytes.length) });

/** Takes the request and never answers. */
export const hangs: Handler = () => undefined;

/** Says that there is more than it gives. */
export const breaksOff: Handler = (_, outgoing) => {
  outgoing.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': '100' }).write('half');
  setTimeout(() => outgoing.destroy(), 10);
};

/** A byte every 20 ms: never silent, and never done. */
export const drips: Handler = (_, outgoing) => {
  outgoing.writeHead(200, { 'content-type': 'application/octet-stream' });
  const timer = setInterval(() => outgoing.write('x'), 20);
  outgoing.on('close', () => clearInterval(timer));
};
