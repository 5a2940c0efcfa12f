import { toUsufructError } from '@usufruct/kernel';
import { readConfig } from './boot/config.js';
import { startRunner } from './boot/start-runner.js';

const write = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  const runner = await startRunner(readConfig(process.env), write);
  const stop = (): void => {
    runner.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (cause) {
  process.stderr.write(`${JSON.stringify(toUsufructError(cause).toWire())}\n`);
  process.exit(1);
}
