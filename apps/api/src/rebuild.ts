import 'reflect-metadata';
import { openChain } from '@usufruct/chain';
import { jsonLogger, systemClock, systemRandom, toUsufructError } from '@usufruct/kernel';
import { describeFault } from '@usufruct/service';
import { createApp } from './app.js';
import { readProjectionConfig } from './platform/config/config.js';
import { OutboxService } from './platform/outbox/index.js';
import { rebuildProjection } from './rebuild-projection.js';

/** `npm run projection:rebuild`: exit code 1 unless the tables came out as they were and the balances are the chain's. */
const logger = jsonLogger('projection-rebuild', systemClock, (line) => process.stdout.write(`${line}\n`));

async function main(): Promise<void> {
  const config = readProjectionConfig(process.env, systemRandom);
  const chain = openChain({ suiNetwork: config.suiNetwork, chainUrl: config.chainUrl, sui: config.sui });
  const app = await createApp({ config, chain, logger, clock: systemClock, random: systemRandom });
  try {
    await app.init();
    await app.get(OutboxService).prepare();
    const rebuilt = await rebuildProjection(app);
    logger.info('rebuilt', { ...rebuilt });
    if (!rebuilt.agrees || rebuilt.identical === false) process.exitCode = 1;
  } finally {
    await app.close();
  }
}

main().catch((error: unknown) => {
  const { code, details } = toUsufructError(error);
  logger.error('rebuild_failed', { code, details, ...(code === 'INTERNAL' ? describeFault(error) : {}) });
  process.exit(1);
});
