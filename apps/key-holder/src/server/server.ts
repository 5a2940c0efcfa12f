import { refuse } from '@usufruct/kernel';
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

/** Each costs signatures, a row or a page of rows; a folder of thousands of files must still pass. */
const REQUESTS_PER_MINUTE_AND_ADDRESS = 6_000;
/** Each may be a second of this process's one thread; 10,000 manifests are three times 40 requests. */
const RESHARINGS_PER_MINUTE_AND_ADDRESS = 300;
/** A carrier has one under way. Nobody signs them, so without this bound they could leave releases no time. */
const RESHARINGS_AT_ONCE = 8;

/** Serve the holder's HTTP interface. Refuses `CONFIG_INVALID` when the port is taken. */
export function serve(holder: Holder, { host, port, allowedOrigins }: ServerOptions): Promise<RunningServer> {
  const requests = new RateLimiter(REQUESTS_PER_MINUTE_AND_ADDRESS, holder.clock);
  const resharings = new RateLimiter(RESHARINGS_PER_MINUTE_AND_ADDRESS, holder.clock);
  let resharingsUnderWay = 0;
  let looking: Promise<void> | null = null;
  const answer = routed(holderRoutes(holder));
  return serveHttp({
    host,
    port,
    allowedOrigins,
    logger: holder.logger,
    // One look for all that ask at once: each reads the chain, and who releases would wait behind them.
    checkReady: () => {
      looking ??= lookWhetherReady(holder).finally(() => {
        looking = null;
      });
      return looking;
    },
    answer: async (exchange) => {
      const { method, socket } = exchange.request;
      const address = socket.remoteAddress ?? '';
      requests.take(address, 'requests of one address');
      if (method !== 'POST' || !exchange.url.pathname.startsWith('/v1/resharings/')) return answer(exchange);
      resharings.take(address, 're-sharings');
      if (resharingsUnderWay >= RESHARINGS_AT_ONCE) throw refuse('RATE_LIMITED', { limit: 're-sharings at once' });
      resharingsUnderWay += 1;
      try {
        await answer(exchange);
      } finally {
        resharingsUnderWay -= 1;
      }
    },
  });
}

async function lookWhetherReady({ chain, caughtUp }: Holder): Promise<void> {
  await chain.info();
  await caughtUp.require();
}
