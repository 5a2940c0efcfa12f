import 'reflect-metadata';
import { openChain } from '@usufruct/chain';
import { jsonLogger, systemClock, systemRandom, toUsufructError } from '@usufruct/kernel';
import { createApp } from './app.js';
import { ProjectionService } from './modules/projection/index.js';
import { PayoutService } from './modules/payout/index.js';
import { readConfig } from './platform/config/config.js';
import { describeFault } from '@usufruct/service';
import { OutboxService } from './platform/outbox/index.js';

/** `npm run projection:rebuild -w @usufruct/api`, while the API is stopped: empty the projection and replay the chain. */
const logger = jsonLogger('projection-rebuild', systemClock, (line) => process.stdout.write(`${line}\n`));

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const chain = openChain({ suiNetwork: config.suiNetwork, chainUrl: config.chainUrl });
  const app = await createApp({ config, chain, logger, clock: systemClock, random: systemRandom });
  try {
    await app.init();
    await app.get(OutboxService).prepare();
    const projection = app.get(ProjectionService);
    await projection.reset();
    const events = await projection.catchUp();
    const { agrees, accountsChecked } = await app.get(PayoutService).reconcileAll();
    logger.info('rebuilt', { events, accountsChecked, agrees });
    if (!agrees) process.exitCode = 1;
  } finally {
    await app.close();
  }
}

main().catch((error: unknown) => {
  const { code, details } = toUsufructError(error);
  logger.error('rebuild_failed', { code, details, ...(code === 'INTERNAL' ? describeFault(error) : {}) });
  process.exit(1);
});
