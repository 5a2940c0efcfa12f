/**
 * `npm run demo [-- --json]`: play the main job against the running system. What runs is infra/demo/dist, which
 * `npm start` has built together with everything else.
 */
import { existsSync } from 'node:fs';

const main = new URL('./dist/main.js', import.meta.url);
if (existsSync(main)) {
  const { run } = await import(main.href);
  process.exitCode = await run(process.argv.slice(2));
} else {
  process.stderr.write('The system has not been built and started yet. In another terminal: npm start\n');
  process.exitCode = 4;
}
