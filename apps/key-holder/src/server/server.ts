import { routed, serveHttp, type RunningServer } from '@usufruct/service';
import type { Holder } from '../holder.js';
import { RateLimiter } from '../rate-limit.js';
import { holderRoutes } from './routes.js';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Browser origins that may call: contributors deposit their shares directly. */
  readonly allowedOrigins: readonly string[];
}

/** Each costs signatures or a row; a folder of thousands of files must still pass. */
const POSTS_PER_MINUTE_AND_ADDRESS = 6_000;

/** Serve the holder's HTTP interface. Refuses `CONFIG_INVALID` when the port is taken. */
export function serve(holder: Holder, { host, port, allowedOrigins }: ServerOptions): Promise<RunningServer> {
  const posts = new RateLimiter(POSTS_PER_MINUTE_AND_ADDRESS, holder.clock);
  const answer = routed(holderRoutes(holder));
  return serveHttp({
    host,
    port,
    allowedOrigins,
    logger: holder.logger,
    checkReady: () => holder.chain.info(),
    answer: async (exchange) => {
      const { method, socket } = exchange.request;
      if (method === 'POST') posts.take(socket.remoteAddress ?? '', 'requests of one address');
      await answer(exchange);
    },
  });
}
