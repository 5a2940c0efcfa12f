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
/** Each may be a second of this process's one thread; 10,000 manifests are three times 40 requests. */
const RESHARINGS_PER_MINUTE_AND_ADDRESS = 300;

/** Serve the holder's HTTP interface. Refuses `CONFIG_INVALID` when the port is taken. */
export function serve(holder: Holder, { host, port, allowedOrigins }: ServerOptions): Promise<RunningServer> {
  const posts = new RateLimiter(POSTS_PER_MINUTE_AND_ADDRESS, holder.clock);
  const resharings = new RateLimiter(RESHARINGS_PER_MINUTE_AND_ADDRESS, holder.clock);
  const answer = routed(holderRoutes(holder));
  return serveHttp({
    host,
    port,
    allowedOrigins,
    logger: holder.logger,
    checkReady: async () => {
      await holder.chain.info();
      await holder.caughtUp.require();
    },
    answer: async (exchange) => {
      const { method, socket, url } = exchange.request;
      const address = socket.remoteAddress ?? '';
      if (method === 'POST') posts.take(address, 'requests of one address');
      if (method === 'POST' && url?.startsWith('/v1/resharings/') === true) resharings.take(address, 're-sharings');
      await answer(exchange);
    },
  });
}
