import { readFileSync } from 'node:fs';
import { productionRoots, rootSetWithDevRoot, type RootSet } from '@usufruct/attestation';
import { openChain } from '@usufruct/chain';
import { refuse, systemClock, systemRandom, toBase64 } from '@usufruct/kernel';
import { runService } from '@usufruct/service';
import { readConfig, type Config } from './config.js';
import { startKeyHolder } from './start.js';

await runService('key-holder', async (logger) => {
  const config = readConfig(process.env);
  const running = await startKeyHolder({
    ...config,
    chain: openChain(config),
    roots: rootsOf(config),
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

function rootsOf({ teeDevRootFile }: Config): RootSet {
  if (teeDevRootFile === undefined) return productionRoots();
  try {
    return rootSetWithDevRoot(readFileSync(teeDevRootFile, 'utf8'));
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting: 'TEE_DEV_ROOT_FILE', expected: 'a readable PEM certificate' }, cause);
  }
}
