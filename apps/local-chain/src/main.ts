import { jsonLogger, systemClock, systemRandom, toUsufructError } from '@usufruct/kernel';
import { readConfig } from './config.js';
import { startLocalChain } from './start.js';

const logger = jsonLogger('local-chain', systemClock, (line) => void process.stdout.write(`${line}\n`));

try {
  const config = readConfig(process.env);
  const running = await startLocalChain({ ...config, clock: systemClock, random: systemRandom, logger });
  logger.info('listening', {
    url: running.url,
    chainId: running.chain.info.chainId,
    standIn: 'local chain: one process in the place of Sui; its money is worth nothing',
  });
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      void running.close().then(() => logger.info('stopped'));
    });
  }
} catch (thrown) {
  const error = toUsufructError(thrown);
  const cause = error.code === 'INTERNAL' && error.cause instanceof Error ? { cause: error.cause.message } : {};
  logger.error('start.failed', { ...error.toWire(), ...cause });
  process.exitCode = 1;
}
