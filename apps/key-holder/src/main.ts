import { join } from 'node:path';
import { openChain } from '@usufruct/chain';
import { openVerifier } from '@usufruct/endorsements';
import { systemClock, systemRandom, toBase64 } from '@usufruct/kernel';
import { runService, suiEventFile } from '@usufruct/service';
import { runCommand } from './backup/commands.js';
import { readConfig } from './config.js';
import { startKeyHolder } from './start.js';

const command = process.argv.slice(2);

await runService('key-holder', async (logger) => {
  if (command.length > 0) {
    await runCommand(command, process.env, logger);
    return { close: async () => undefined };
  }
  const config = readConfig(process.env);
  const { desk } = openVerifier(config.verifier, { clock: systemClock, logger });
  const running = await startKeyHolder({
    ...config,
    chain: openChain({ ...config, suiEvents: suiEventFile(join(config.dataDir, 'sui-events.sqlite')) }),
    desk,
    clock: systemClock,
    random: systemRandom,
    logger,
  });
  logger.info('listening', {
    url: running.url,
    signingPublicKey: toBase64(running.holder.keys.signing.publicKey),
    standIns: config.standIns,
  });
  return running;
});
