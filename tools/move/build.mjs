/**
 * `npm run move:build`: compile with all lints, fail on any warning, and compare the package digest with the pinned
 * one. `-- --pin` writes the new digest, which is what changing a contract looks like in review.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { keepAbortCodes } from './abort-codes.mjs';
import { runCompiler } from './run.mjs';

const PINNED = resolve(import.meta.dirname, '../../move/usufruct/digest.json');

async function build({ pin }) {
  const built = await runCompiler(['build']);
  if (built.error !== undefined) return { ok: false, text: built.error };
  const { digest, sui, frameworkRevision, warnings } = built;
  const text = `${built.modules} modules, ${built.bytes} bytes, digest ${digest} (Sui ${sui})`;
  if (warnings !== '') return { ok: false, text: `${warnings}\nwarnings fail\n${text}` };
  if (pin) {
    await writeFile(PINNED, `${JSON.stringify({ digest, sui, frameworkRevision }, null, 2)}\n`);
    await keepAbortCodes();
  }
  const pinned = JSON.parse(await readFile(PINNED, 'utf8'));
  const ok = pinned.digest === digest;
  return { ok, text: ok ? `${text}, as pinned` : `${text}\nnot the pinned digest ${pinned.digest}` };
}

const { ok, text } = await build({ pin: process.argv.includes('--pin') });
process.stdout.write(`${text}\n`);
process.exitCode = ok ? 0 : 1;
