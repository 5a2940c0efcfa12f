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
  let stopping: Promise<void> | undefined;
  const stop = (): void => {
    stopping ??= stopApp(app).then(() => logger.info('stopped'));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await startApp(app, config.port, config.host);
  logger.info('started', { url: await app.getUrl(), suiNetwork: config.suiNetwork });
}

main().catch((error: unknown) => {
  const { code, details } = toUsufructError(error);
  logger.error('start_failed', { code, details, ...(code === 'INTERNAL' ? describeFault(error) : {}) });
  process.exit(1);
});
