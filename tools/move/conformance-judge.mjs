/**
 * Child process of `conformance.mjs`: the Move tests of the modules that it is sent, on the VM, against the contracts as
 * they are or with one edit of a source. The package's own tests stay out; only the stage is added.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compiledTests, packageFiles } from './compiler.mjs';

const FOLDER = resolve(import.meta.dirname, '../../test/conformance/move');
const stage = Object.fromEntries(
  readdirSync(FOLDER).map((name) => [`tests/${name}`, readFileSync(join(FOLDER, name), 'utf8')]),
);
const contracts = Object.fromEntries(Object.entries(packageFiles()).filter(([name]) => !name.startsWith('tests/')));

function edited({ file, from, to }) {
  const text = contracts[file];
  if (text?.split(from).length !== 2) throw new Error(`${file} does not have this text once: ${from}`);
  return { [file]: text.replace(from, () => to) };
}

process.on('message', async ({ modules, edit }) => {
  const tests = { ...stage, ...modules };
  process.send(await compiledTests({ ...contracts, ...(edit === null ? {} : edited(edit)), ...tests }));
});
