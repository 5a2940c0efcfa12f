import { keypairSigner, LOCAL_NETWORK, openChain, refuseStandIns, type Chain } from '@usufruct/chain';
import { jsonLogger, systemClock, systemRandom, UsufructError, type Clock, type Logger } from '@usufruct/kernel';
import { sealApprovalsOf, type SealAccess } from '@usufruct/seal';
import { lockFolder, routed, serveHttp } from '@usufruct/service';
import { httpBlobStore } from '@usufruct/walrus';
import { generateRunnerKeys } from '../attest/runner-keys.js';
import { IndexStore } from '../compute/index-store/index-store.js';
import { StoredFiles, systemCode } from '../compute/index-store/stored-files.js';
import { QuestionDesk } from '../compute/questions/question-desk.js';
import { EXTRACTIVE, IndexProcess } from '../compute/rag/index.js';
import { reviewSessions } from '../compute/session/review.js';
import { Sessions } from '../compute/session/sessions.js';
import type { RunnerContext } from '../context.js';
import { httpHolder } from '../keys/http-holder.js';
import { EpochSettler } from '../payout/epoch-settler.js';
import { PayoutStore } from '../payout/payout-store.js';
import { Settler } from '../receipt/settler.js';
import { RunnerStore } from '../receipt/store.js';
import { runnerRoutes } from '../transport/routes.js';
import type { RunnerConfig } from './config.js';
import { openDevice } from './open-device.js';
import { openEmbedder, openReranker } from './embedder-config.js';
import { openGenerator } from './open-generator.js';

const HOLDER_TIMEOUT_MS = 15_000;
const KEY_SERVER_TIMEOUT_MS = 15_000;
const SETTLE_EVERY_MS = 2_000;
/** What is revoked, retired, closed or withdrawn leaves also those sessions that nobody asks anything. */
const REVIEW_EVERY_MS = 15_000;
/** About 16 s of pauses in all: a store that is restarted meanwhile costs nobody their part. */
const STORE_PATIENCE = { timeoutMs: 30_000, tries: 7, pauseMs: 250 } as const;

export interface RunningRunner {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Stand-ins are judged before anything else is touched, then keys, store, outbox and at last the door. Refuses
 * `CONFIG_INVALID` where another runner works in one of its folders.
 */
export async function startRunner(config: RunnerConfig, write: (line: string) => void): Promise<RunningRunner> {
  const standIns = standInsOf(config);
  refuseStandIns({ suiNetwork: config.suiNetwork, standIns });
  const clock = systemClock;
  const logger = jsonLogger('runner', clock, write);
  const unlock = lockFolders(config);
  const context = await contextOf(config, clock, logger);
  const sessions = new Sessions(context);
  const settler = new Settler(context);
  const desk = new QuestionDesk(context, sessions, settler);
  context.store.deleteOld(clock.nowMs());
  const payouts = PayoutStore.openIn(config.dataDir);
  const stopSettling = inBackground(SETTLE_EVERY_MS, () =>
    settler.resume().catch(() => logger.error('settlement.round_failed')),
  );
  const stopDividing = divideInBackground(
    new EpochSettler(context, payouts, config.epochBatch),
    config.epochIntervalMs,
  );
  const stopReviewing = inBackground(REVIEW_EVERY_MS, () => reviewSessions(context, sessions));
  const { url, close } = await serveHttp({
    host: config.host,
    port: config.port,
    logger,
    // Clients reach it through the API: no browser calls it.
    allowedOrigins: [],
    checkReady: () => context.chain.info(),
    answer: routed(runnerRoutes({ context, sessions, desk, standIns })),
  });
  logger.info('runner.started', { url, runnerId: context.keys.runnerId, standIns });
  return {
    url,
    stop: async () => {
      await close();
      await Promise.all([stopSettling(), stopDividing(), stopReviewing()]);
      sessions.endAll();
      await context.indexes?.idle();
      context.store.close();
      payouts.close();
      unlock();
    },
  };
}

const standInsOf = ({ tee, suiNetwork }: RunnerConfig): string[] => [
  ...(tee.device === 'software' ? ['software TEE'] : []),
  ...(suiNetwork === LOCAL_NETWORK ? ['local chain'] : []),
];

async function contextOf(config: RunnerConfig, clock: Clock, logger: Logger): Promise<RunnerContext> {
  const fetch: typeof globalThis.fetch = (...call) => globalThis.fetch(...call);
  const generator = config.generator === null ? null : await openGenerator(config.generator);
  const embedder = await openEmbedder(config.embedder);
  const reranker = await openReranker(config.reranker);
  const models = [generator, embedder, reranker].flatMap((model) => (model === null ? [] : [model.measured]));
  const { device, banner } = await openDevice(config.tee, { random: systemRandom, fetch, logger, models });
  if (banner !== null) logger.warn('stand_in', { banner });
  const chain = openChain({ suiNetwork: config.suiNetwork, chainUrl: config.chainUrl, sui: config.sui, clock });
  return {
    chain,
    device,
    keys: await generateRunnerKeys(systemRandom),
    holders: config.holderUrls.map((url) => httpHolder(url, { fetch, timeoutMs: HOLDER_TIMEOUT_MS })),
    seal: sealAccess(config.keyServers, chain, fetch),
    retrieval: { maker: new IndexProcess(), embedder: embedder?.model, reranker: reranker?.model },
    blobs: httpBlobStore({ aggregatorUrl: config.aggregatorUrl, ...STORE_PATIENCE }),
    wallet: keypairSigner(config.walletSecret),
    store: RunnerStore.openIn(config.dataDir),
    indexes: await openIndexes(config, logger),
    generators: generator === null ? [EXTRACTIVE] : [generator.generator, EXTRACTIVE],
    clock,
    random: systemRandom,
    logger,
  };
}

/** Two runners in one folder would settle each other's answers, and lose and overwrite each other's indexes. */
function lockFolders({ dataDir, indexFiles }: RunnerConfig): () => void {
  const unlock = [lockFolder({ folder: dataDir, name: 'runner.lock', setting: 'DATA_DIR' })];
  try {
    if (indexFiles !== null) {
      unlock.push(lockFolder({ folder: indexFiles.folder, name: 'index.lock', setting: 'INDEX_DIR' }));
    }
  } catch (error) {
    // A disk that cannot be used is none for indexes, and said so of when they are opened.
    if (error instanceof UsufructError) {
      unlock.forEach((one) => one());
      throw error;
    }
  }
  return () => unlock.forEach((one) => one());
}

/** Without them sessions begin slower, and nothing else: a disk that cannot be used does not keep the runner from its work. */
async function openIndexes({ indexFiles }: RunnerConfig, logger: Logger): Promise<IndexStore | undefined> {
  if (indexFiles === null) return undefined;
  try {
    return new IndexStore(await StoredFiles.openIn(indexFiles));
  } catch (error) {
    logger.warn('index.disabled', { setting: 'INDEX_DIR', reason: systemCode(error) ?? 'INTERNAL' });
    return undefined;
  }
}

const sealAccess = (
  keyServers: RunnerConfig['keyServers'],
  chain: Chain,
  fetch: typeof globalThis.fetch,
): SealAccess | null =>
  keyServers === null
    ? null
    : { approvals: sealApprovalsOf(chain), keyServers, fetch, timeoutMs: KEY_SERVER_TIMEOUT_MS };

/** Private receipts are divided every so often; by whom does not matter, so one runner of several may leave it. */
const divideInBackground = (settler: EpochSettler, intervalMs: number): (() => Promise<void>) =>
  intervalMs === 0 ? async () => undefined : inBackground(intervalMs, () => settler.round());

/**
 * A round at once and then after each pause: what an earlier process left, and what the chain did not answer, is tried
 * again until it is decided. A round must not reject. Stopping waits for the one that is under way.
 */
function inBackground(pauseMs: number, work: () => Promise<void>): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const round = async (): Promise<void> => {
    await work();
    if (!isStopped) timer = setTimeout(() => (running = round()), pauseMs);
  };
  let running = round();
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    await running;
  };
}
