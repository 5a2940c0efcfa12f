/**
 * `npm run projection:rebuild`: makes the API's tables of chain events again from the first event. Works on what
 * DATABASE_URL and CHAIN_URL (or SUI_NETWORK) name, else on the system that `npm start` has running.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from '../../tools/build.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
try {
  await build({ log: (line) => process.stderr.write(`${line}\n`) });
  const { projectionSources } = await import('./dist/projection-sources.js');
  const environment = { ...process.env, ...(await projectionSources(process.env)) };
  const { status } = spawnSync(process.execPath, ['apps/api/dist/rebuild.js'], {
    cwd: ROOT,
    env: environment,
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} catch (error) {
  process.stderr.write(`not rebuilt: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
