import 'reflect-metadata';
import { openChain } from '@usufruct/chain';
import { jsonLogger, systemClock, systemRandom, toUsufructError } from '@usufruct/kernel';
import { describeFault } from '@usufruct/service';
import { createApp } from './app.js';
import { PayoutService } from './modules/payout/index.js';
import { ProjectionService } from './modules/projection/index.js';
import { readProjectionConfig } from './platform/config/config.js';
import { OutboxService } from './platform/outbox/index.js';

/**
 * `npm run projection:rebuild`: empty the projection and replay the chain. An API may go on beside it: both apply each
 * event once, and its answers are incomplete until this ends. Exit code 1 unless the tables are byte for byte what they
 * were, when the chain has not moved, and every balance is the chain's.
 */
const logger = jsonLogger('projection-rebuild', systemClock, (line) => process.stdout.write(`${line}\n`));

async function main(): Promise<void> {
  const config = readProjectionConfig(process.env, systemRandom);
  const chain = openChain({ suiNetwork: config.suiNetwork, chainUrl: config.chainUrl });
  const app = await createApp({ config, chain, logger, clock: systemClock, random: systemRandom });
  try {
    await app.init();
    await app.get(OutboxService).prepare();
    const projection = app.get(ProjectionService);
    const before = { events: await projection.appliedSeq(), digest: await projection.digest() };
    await projection.reset();
    const after = { events: await projection.catchUp(), digest: await projection.digest() };
    const identical = before.events === after.events ? before.digest === after.digest : null;
    const { agrees, accountsChecked } = await app.get(PayoutService).reconcileAll();
    logger.info('rebuilt', { ...after, eventsBefore: before.events, identical, accountsChecked, agrees });
    if (!agrees || identical === false) process.exitCode = 1;
  } finally {
    await app.close();
  }
}

main().catch((error: unknown) => {
  const { code, details } = toUsufructError(error);
  logger.error('rebuild_failed', { code, details, ...(code === 'INTERNAL' ? describeFault(error) : {}) });
  process.exit(1);
});
