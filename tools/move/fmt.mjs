/** `npm run move:fmt`: check the format of every Move file that people write; `-- --write` puts it right. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const prettier = resolve(ROOT, 'node_modules/prettier/bin/prettier.cjs');
const mode = process.argv.includes('--write') ? '--write' : '--check';
const options = ['--no-config', '--plugin', '@mysten/prettier-plugin-move', '--print-width', '100', '--tab-width', '4'];
const { status } = spawnSync(
  process.execPath,
  [prettier, mode, ...options, 'move/**/*.move', 'test/conformance/move/*.move', '!move/usufruct/tests/*fixtures.move'],
  {
    cwd: ROOT,
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;
