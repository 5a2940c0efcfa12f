/**
 * `node infra/enclave/run.mjs tree|app-compose …`: see README.md. What runs is infra/enclave/dist, which `npm run build`
 * has made.
 */
import { existsSync } from 'node:fs';

const main = new URL('./dist/main.js', import.meta.url);
if (existsSync(main)) {
  const { run } = await import(main.href);
  process.exitCode = await run(process.argv.slice(2), process.env);
} else {
  process.stderr.write('This has not been built yet: npm run build\n');
  process.exitCode = 4;
}
