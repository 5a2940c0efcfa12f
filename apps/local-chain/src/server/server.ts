import { refuse, type Logger } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { readJson, sendJson, serveHttp, type Exchange, type RunningServer } from '@usufruct/service';
import type { LocalChain } from '../local-chain.js';
import { isQuery, read, readAll, readMany, readNow, submit } from './routes.js';

export type { RunningServer };

/** What goes wrong between a client and a chain, on demand. For tests: there is no setting that turns it on. */
export interface Faults {
  /** No transaction is looked at before. */
  readonly held?: Promise<void>;
  /** The transaction arrives twice at once. */
  readonly deliverTwice?: boolean;
  /** Asked after each transaction was executed: whether its answer is lost on the way back. */
  readonly loseReply?: () => boolean;
  /** Asked for each page of events: whether it is lost on the way back. */
  readonly loseEvents?: () => boolean;
}
export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Browser origins that may call; everybody else's browser is told no. */
  readonly allowedOrigins: readonly string[];
  readonly logger: Logger;
  readonly faults?: Faults;
}

/** Base64 of the largest transaction, its signature and the JSON around them. */
const BODY_BYTES = Math.ceil((LIMITS.transactionBytes * 4) / 3) + 4_096;

/** Serve the chain's HTTP interface (docs/ARCHITECTURE.md). Refuses `CONFIG_INVALID` when the port is taken. */
export function serve(chain: LocalChain, { faults = {}, ...options }: ServerOptions): Promise<RunningServer> {
  return serveHttp({
    ...options,
    answer: async (exchange) => {
      const { request, response, url, signal } = exchange;
      if (request.method === 'GET') {
        const found = await read(chain, url, signal);
        if (url.pathname === '/v1/events' && faults.loseEvents?.() === true) return void response.destroy();
        return sendJson(response, 200, found);
      }
      if (request.method === 'POST' && isQuery(url.pathname)) {
        return sendJson(response, 200, readMany(chain, url.pathname, await readJson(request, BODY_BYTES)));
      }
      if (request.method === 'POST' && url.pathname === '/v1/reads') {
        const reads = await readJson(request, BODY_BYTES);
        return sendJson(response, 200, await readAll(reads, (path, query) => readNow(chain, path, query)));
      }
      if (request.method !== 'POST' || url.pathname !== '/v1/transactions') throw refuse('NOT_FOUND');
      return execute(chain, faults, exchange);
    },
  });
}

async function execute(chain: LocalChain, faults: Faults, { request, response }: Exchange): Promise<void> {
  const body = await readJson(request, BODY_BYTES);
  const { held, deliverTwice, loseReply } = faults;
  await held;
  const [outcome] = await Promise.all([submit(chain, body), deliverTwice === true ? submit(chain, body) : undefined]);
  if (loseReply?.() === true) response.destroy();
  else sendJson(response, 200, outcome);
}
