import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, RandomSource } from '@usufruct/kernel';
import { LocalChain } from './local-chain.js';
import { serve, type RunningServer, type ServerOptions } from './server/server.js';
import { Store } from './store/store.js';

export interface StartOptions extends ServerOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: RandomSource;
}
export interface RunningChain extends RunningServer {
  readonly chain: LocalChain;
}

/** Open the store and serve it; `close` answers what was asked, then closes the store. */
export async function startLocalChain(options: StartOptions): Promise<RunningChain> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const chain = new LocalChain(new Store(join(options.dataDir, 'chain.sqlite'), options.random), options.clock);
  try {
    const server = await serve(chain, options);
    const close = async (): Promise<void> => {
      await server.close();
      await chain.close();
    };
    return { ...server, chain, close };
  } catch (error) {
    await chain.close();
    throw error;
  }
}
