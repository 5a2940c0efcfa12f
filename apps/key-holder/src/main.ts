import { readFileSync } from 'node:fs';
import { productionRoots, rootSetWithDevRoot, type RootSet } from '@usufruct/attestation';
import { openChain } from '@usufruct/chain';
import { jsonLogger, refuse, systemClock, systemRandom, toBase64, toUsufructError } from '@usufruct/kernel';
import { readConfig, type Config } from './config.js';
import { startKeyHolder } from './start.js';

const logger = jsonLogger('key-holder', systemClock, (line) => void process.stdout.write(`${line}\n`));

try {
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
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      void running.close().then(() => logger.info('stopped'));
    });
  }
} catch (thrown) {
  const error = toUsufructError(thrown);
  const cause = error.code === 'INTERNAL' && error.cause instanceof Error ? { cause: error.cause.message } : {};
  logger.error('start.failed', { ...error.toWire(), ...cause });
  process.exitCode = 1;
}

function rootsOf({ teeDevRootFile }: Config): RootSet {
  if (teeDevRootFile === undefined) return productionRoots();
  try {
    return rootSetWithDevRoot(readFileSync(teeDevRootFile, 'utf8'));
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting: 'TEE_DEV_ROOT_FILE', expected: 'a readable PEM certificate' }, cause);
  }
}
