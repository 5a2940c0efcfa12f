import type { Clock, Logger } from '@usufruct/kernel';
import { describeFault, type RunningServer } from '@usufruct/service';
import type { LocalStoreConfig } from './config.js';
import { LocalStore } from './local-store.js';
import { serveStore } from './server.js';

export type RunningStore = RunningServer;

/** How often it is looked whether leases have ended: reads refuse at once, this gives their room back. */
const SWEEP_EVERY_MS = 60_000;

/** Opens the data folder and listens. Refuses `CONFIG_INVALID` when the port is taken or the folder is of other shards. */
export async function startLocalStore(config: LocalStoreConfig, clock: Clock, logger: Logger): Promise<RunningStore> {
  const store = await LocalStore.open(config, clock);
  const running = await serveStore(store, logger).catch((error: unknown) => {
    store.close();
    throw error;
  });
  const sweep = (): Promise<unknown> =>
    store.sweep().catch((error: unknown) => logger.error('sweep.failed', describeFault(error)));
  let sweeping: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => (sweeping = sweep()), Math.min(config.epochMs, SWEEP_EVERY_MS)).unref();
  const standIn = `local store: not Walrus; blob ids for ${config.shards} shards`;
  logger.info('listening', { url: running.url, standIn });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    clearInterval(timer);
    await running.close();
    await sweeping;
    store.close();
  };
  return { ...running, close: () => (closing ??= close()) };
}
