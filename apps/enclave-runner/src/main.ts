import { runService, writeLine } from '@usufruct/service';
import { readConfig } from './boot/config.js';
import { startRunner } from './boot/start-runner.js';

await runService('runner', async () => {
  const runner = await startRunner(readConfig(process.env), writeLine);
  return { close: runner.stop };
});
