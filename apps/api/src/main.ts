import 'reflect-metadata';
import { join } from 'node:path';
import { openChain, refuseStandIns } from '@usufruct/chain';
import { openVerifier, verifierStandIns } from '@usufruct/endorsements';
import { systemClock, systemRandom } from '@usufruct/kernel';
import { runService, suiEventFile } from '@usufruct/service';
import { createApp, startApp, stopApp } from './app.js';
import { notifyStandIns, readConfig } from './platform/config/config.js';

await runService('api', async (logger) => {
  const config = readConfig(process.env);
  const standIns = [...verifierStandIns(config.verifier), ...notifyStandIns(config.notify)];
  refuseStandIns({ suiNetwork: config.suiNetwork, standIns });
  const { desk } = openVerifier(config.verifier, { clock: systemClock, logger });
  const { suiNetwork, chainUrl, sui, dataDir } = config;
  const suiEvents = dataDir === undefined ? undefined : suiEventFile(join(dataDir, 'sui-events.sqlite'));
  const chain = openChain({ suiNetwork, chainUrl, sui, suiEvents });
  const app = await createApp({ config, chain, desk, logger, clock: systemClock, random: systemRandom });
  await startApp(app, config.port, config.host);
  logger.info('started', { url: await app.getUrl(), suiNetwork: config.suiNetwork });
  return { close: () => stopApp(app) };
});
