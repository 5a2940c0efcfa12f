import { jsonLogger, systemClock, toUsufructError } from '@usufruct/kernel';
import { readConfig } from './config.js';
import { startLocalStore } from './start.js';

const logger = jsonLogger('local-store', systemClock, (line) => process.stdout.write(`${line}\n`));

try {
  const running = await startLocalStore(readConfig(process.env), systemClock, logger);
  const stop = (signal: string): void => {
    logger.info('stopping', { signal });
    void running.close();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  const { code, message } = toUsufructError(error);
  logger.error('refused_to_start', { code, message });
  process.exitCode = 1;
}
