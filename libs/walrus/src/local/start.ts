import { once } from 'node:events';
import { refuse, type Clock, type Logger } from '@usufruct/kernel';
import type { LocalStoreConfig } from './config.js';
import { LocalStore } from './local-store.js';
import { createStoreServer } from './server.js';

export interface RunningStore {
  readonly url: string;
  /** Ends after the answers in progress. */
  close(): Promise<void>;
}

/** Opens the data folder and listens. Refuses `CONFIG_INVALID` when the port is taken. */
export async function startLocalStore(config: LocalStoreConfig, clock: Clock, logger: Logger): Promise<RunningStore> {
  const store = await LocalStore.open(config, clock);
  const server = createStoreServer(store, logger);
  server.listen(config.port, config.host);
  await once(server, 'listening').catch((error: unknown) => {
    throw refuse('CONFIG_INVALID', { setting: 'PORT' }, error);
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : config.port;
  const url = `http://${config.host}:${port}`;
  logger.info('listening', { url, standIn: `local store: not Walrus; blob ids for ${config.shards} shards` });
  return {
    url,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}
