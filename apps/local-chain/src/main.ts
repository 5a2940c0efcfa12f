import { systemClock, systemRandom } from '@usufruct/kernel';
import { runService } from '@usufruct/service';
import { readConfig } from './config.js';
import { startLocalChain } from './start.js';

await runService('local-chain', async (logger) => {
  const config = readConfig(process.env);
  const running = await startLocalChain({ ...config, clock: systemClock, random: systemRandom, logger });
  logger.info('listening', {
    url: running.url,
    chainId: running.chain.info.chainId,
    standIn: 'local chain: one process in the place of Sui; its money is worth nothing',
  });
  return running;
});
