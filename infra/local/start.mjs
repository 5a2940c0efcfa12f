/** `npm start`: builds what changed, then starts everything. See infra/local/start.ts. */
import { build } from '../../tools/build.mjs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 9)) {
  process.stderr.write(`Node 24.9 or newer is needed, this is ${process.versions.node}; start with: npm start\n`);
  process.exit(1);
}
try {
  await build({ log: (line) => process.stdout.write(`${line}\n`) });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
const { main } = await import('./dist/start.js');
process.exit(await main());
