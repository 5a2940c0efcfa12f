import 'reflect-metadata';
import { openChain, refuseStandIns } from '@usufruct/chain';
import { jsonLogger, systemClock, systemRandom, toUsufructError } from '@usufruct/kernel';
import { createApp, startApp, stopApp } from './app.js';
import { readConfig } from './platform/config/config.js';
import { describeFault } from './platform/errors/index.js';

const logger = jsonLogger('api', systemClock, (line) => process.stdout.write(`${line}\n`));

async function main(): Promise<void> {
  const config = readConfig(process.env);
  refuseStandIns({ suiNetwork: config.suiNetwork, standIns: [] });
  const chain = openChain({ suiNetwork: config.suiNetwork, chainUrl: config.chainUrl });
  const app = await createApp({ config, chain, logger, clock: systemClock, random: systemRandom });
  const starting = startApp(app, config.port, config.host);
  let stopping: Promise<void> | undefined;
  // A start that was begun is finished first: half of it cannot be stopped.
  const stop = (): void => {
    stopping ??= starting
      .then(() => stopApp(app))
      .then(
        () => logger.info('stopped'),
        (error: unknown) => logger.error('stop_failed', describeFault(error)),
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await starting;
  logger.info('started', { url: await app.getUrl(), suiNetwork: config.suiNetwork });
}

main().catch((error: unknown) => {
  const { code, details } = toUsufructError(error);
  logger.error('start_failed', { code, details, ...(code === 'INTERNAL' ? describeFault(error) : {}) });
  process.exit(1);
});
