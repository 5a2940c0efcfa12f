/**
 * `node infra/acceptance/run.mjs …`: prove an installation on real TDX and NVIDIA CC hardware, see docs/ATTESTATION.md.
 * What runs is infra/acceptance/dist, which `npm run build` has made.
 */
import { existsSync } from 'node:fs';

const main = new URL('./dist/main.js', import.meta.url);
if (existsSync(main)) {
  const { run } = await import(main.href);
  process.exitCode = await run(process.argv.slice(2));
} else {
  process.stderr.write('This has not been built yet: npm run build\n');
  process.exitCode = 4;
}
