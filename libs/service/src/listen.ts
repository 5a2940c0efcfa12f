import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refuse, type Logger } from '@usufruct/kernel';
import { describeFault } from './fault.js';

export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly logger: Logger;
  /** How long `close` waits for answers in progress, in milliseconds; then they are cut off. */
  readonly closeWithinMs?: number;
}
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Answer what was asked, then stop. */
  close(): Promise<void>;
}

/** Shorter than what a process manager waits between SIGTERM and SIGKILL. */
const CLOSE_WITHIN_MS = 5_000;
const HOST_FAULTS = ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EAFNOSUPPORT'];

/** Resolves when the server listens. Refuses `CONFIG_INVALID` naming `PORT` when it is taken, `HOST` when it is not ours. */
export async function listen(server: Server, options: ListenOptions): Promise<RunningServer> {
  const { host, port, logger, closeWithinMs = CLOSE_WITHIN_MS } = options;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const setting = HOST_FAULTS.includes(cause.code ?? '') ? 'HOST' : 'PORT';
      reject(refuse('CONFIG_INVALID', { setting, reason: `cannot listen on ${host}:${port}` }, cause));
    });
    server.listen(port, host, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', (error) => logger.error('server.failed', describeFault(error)));
  const bound = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    port: bound.port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}`,
    close: () => (closing ??= close(server, closeWithinMs)),
  };
}

const close = (server: Server, withinMs: number): Promise<void> =>
  new Promise((resolve) => {
    // A browser's connection on which nothing was asked yet is not idle to Node; this ends it, too.
    const insist = setTimeout(() => server.closeAllConnections(), withinMs);
    server.close(() => {
      clearTimeout(insist);
      resolve();
    });
  });
