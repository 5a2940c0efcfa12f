import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const PACKAGE = resolve(import.meta.dirname, '../../move/usufruct');
/** Every number that was ever given, and to what: one that its constant gave up stays here and is never given again. */
const GIVEN = join(PACKAGE, 'abort-codes.json');
const CONSTANT = /(\/\/\/ .*\n)?const (E[A-Z]\w*): u64 = (\d+);/g;

async function modules(folder) {
  const names = (await readdir(join(PACKAGE, folder))).filter((name) => name.endsWith('.move')).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(PACKAGE, folder, name), 'utf8');
      return { module: /module usufruct::(\w+);/.exec(text)?.[1] ?? name, text };
    }),
  );
}

/**
 * Every abort constant of the sources, and what is wrong with them: one without a comment, a number used twice in the
 * package (so that a number alone names the refusal), one that was given to another refusal before, or one that no
 * test expects.
 */
export async function abortCodes() {
  const tests = (await modules('tests')).map(({ text }) => text).join('\n');
  const given = JSON.parse(await readFile(GIVEN, 'utf8'));
  const codes = [];
  const faults = [];
  for (const { module, text } of await modules('sources')) {
    for (const [, comment, name, code] of text.matchAll(CONSTANT)) {
      const known = codes.find((other) => other.code === code);
      if (known !== undefined) faults.push(`${module}::${name} has the number of ${known.module}::${known.name}`);
      if (comment === undefined) faults.push(`${module}::${name} is not documented`);
      if (!new RegExp(`abort_code = (usufruct::)?${module}::${name}\\b`).test(tests)) {
        faults.push(`${module}::${name}: no test expects it`);
      }
      if (given[code] !== name) {
        const before = given[code] ?? 'nothing that is written down (move:build -- --pin writes it)';
        faults.push(`${module}::${name} has number ${code}, which was given to ${before}`);
      }
      codes.push({ module, name, code });
    }
  }
  return { codes, faults };
}

/** Write down the numbers that are new; those that were given before stay as they are. */
export async function keepAbortCodes() {
  const given = JSON.parse(await readFile(GIVEN, 'utf8'));
  const { codes } = await abortCodes();
  const all = { ...Object.fromEntries(codes.map(({ name, code }) => [code, name])), ...given };
  await writeFile(GIVEN, `${JSON.stringify(all, null, 2)}\n`);
}
