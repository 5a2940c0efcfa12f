import type { Clock, Logger } from '@usufruct/kernel';
import type { RunningServer } from '@usufruct/service';
import type { LocalStoreConfig } from './config.js';
import { LocalStore } from './local-store.js';
import { serveStore } from './server.js';

export type RunningStore = RunningServer;

/** Opens the data folder and listens. Refuses `CONFIG_INVALID` when the port is taken. */
export async function startLocalStore(config: LocalStoreConfig, clock: Clock, logger: Logger): Promise<RunningStore> {
  const running = await serveStore(await LocalStore.open(config, clock), logger);
  const standIn = `local store: not Walrus; blob ids for ${config.shards} shards`;
  logger.info('listening', { url: running.url, standIn });
  return running;
}
