import { refuse, toUsufructError, type Logger } from '@usufruct/kernel';
import { sendJson, serveHttp, type Exchange, type RunningServer } from '@usufruct/service';
import { answerAggregator } from './aggregator.js';
import { refusalBody } from './answers.js';
import type { LocalStore } from './local-store.js';
import { answerOwner } from './owner-routes.js';
import { answerPublisher } from './publisher.js';
import { answerRelay } from './relay.js';

/** One of the store's parts: whether it answered. */
export type Part = (store: LocalStore, exchange: Exchange) => Promise<boolean>;

const PARTS: readonly Part[] = [answerAggregator, answerPublisher, answerRelay, answerOwner];
const CONNECTIONS = 64;
/** A part of a few MiB over a slow line. */
const UPLOAD_TIMEOUT_MS = 120_000;

/** Walrus's HTTP interface (publisher, aggregator and relay in one) before a local store; every answer says what it is. */
export const serveStore = (store: LocalStore, logger: Logger): Promise<RunningServer> =>
  serveHttp({
    host: store.config.host,
    port: store.config.port,
    logger,
    // The portal uploads from one of them.
    allowedOrigins: store.config.allowedOrigins,
    allowedMethods: 'GET, HEAD, PUT, POST, DELETE',
    headers: { 'x-usufruct-stand-in': `local store, ${store.config.shards} shards` },
    requestTimeoutMs: UPLOAD_TIMEOUT_MS,
    maxConnections: CONNECTIONS,
    answer: (exchange) => answer(store, exchange),
  });

async function answer(store: LocalStore, exchange: Exchange): Promise<void> {
  try {
    for (const part of PARTS) if (await part(store, exchange)) return;
    throw refuse('NOT_FOUND', { path: 'unknown' });
  } catch (thrown) {
    const error = toUsufructError(thrown);
    const { request, response } = exchange;
    if (error.code === 'INTERNAL' || response.headersSent) throw thrown;
    // What the client still sends is not read: the connection ends with the answer.
    if (!request.complete) response.setHeader('connection', 'close');
    sendJson(response, error.entry.http, JSON.stringify(refusalBody(error, error.entry.http)));
  }
}
