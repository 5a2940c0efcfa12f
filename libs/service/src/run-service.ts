import { jsonLogger, systemClock, toUsufructError, type Logger } from '@usufruct/kernel';
import { describeFault } from './fault.js';

/** How long a process that has stopped may still have something open; then it is ended. */
const LINGER_MS = 1_000;

export const writeLine = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * The main of a process. Starts it; SIGTERM and SIGINT close it, after its start when that is still going on, and end the
 * process with 0; SIGUSR1 does nothing. A start that fails, a close that fails and an error that nobody caught are logged without message or
 * stack, and end it with 1.
 */
export async function runService(
  name: string,
  start: (logger: Logger) => Promise<{ close(): Promise<void> }>,
): Promise<void> {
  const logger = jsonLogger(name, systemClock, writeLine);
  // Node would open its debugger, to whoever reaches this machine's loopback, and with it everything in this process.
  process.on('SIGUSR1', () => logger.warn('signal.ignored', { signal: 'SIGUSR1' }));
  process.on('uncaughtException', (error) => {
    logger.error('crashed', describeFault(error));
    process.exit(1);
  });
  const fail = (event: string, thrown: unknown): void => {
    const error = toUsufructError(thrown);
    logger.error(event, { ...error.toWire(), ...(error.code === 'INTERNAL' && describeFault(thrown)) });
    end(1);
  };
  // Begins in a later microtask, when the signals below are already heard.
  const starting = Promise.resolve(logger)
    .then(start)
    .catch((thrown: unknown) => fail('start.failed', thrown));
  let isStopping = false;
  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    const running = await starting;
    if (running === undefined) return;
    try {
      await running.close();
      logger.info('stopped');
      end(0);
    } catch (thrown) {
      fail('stop.failed', thrown);
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());
  await starting;
}

/** By itself when nothing is open, so that the last lines are written; by force soon after. */
function end(exitCode: number): void {
  process.exitCode = exitCode;
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
