/** Child process of `mutate.mjs`: answers `killed`, `survived` or `invalid` for each mutant that it is sent. */
import { compiledTests, packageFiles } from './compiler.mjs';

const files = packageFiles();
const isTest = (name) => name.startsWith('tests/');
/** Fixtures and worlds, which every test may need. */
const isSupport = (name) => isTest(name) && !name.endsWith('_tests.move');
const TEST = /#\[test(?:, [^\n]*)?\]\n(?:\/\/\/[^\n]*\n)*fun [\s\S]*?\n\}\n/g;

const testFiles = Object.keys(files).filter((name) => isTest(name) && !isSupport(name));
/** These files with the tests that `isWanted`, and without the others. */
const trimmed = (names, isWanted) =>
  Object.fromEntries(names.map((name) => [name, files[name].replaceAll(TEST, (test) => (isWanted(test) ? test : ''))]));

/**
 * Sets of tests, the likeliest to notice first: running them is what a mutant costs. An assertion's mutants are noticed
 * by the tests that expect its abort, all others by those that expect none; then every test of the module, then all.
 */
function* stages(name, abortCode) {
  const own = [`tests/${name}_tests.move`, 'tests/main_path_tests.move'].filter((test) => test in files);
  if (abortCode === null) yield trimmed(own, (test) => !test.includes('expected_failure'));
  else {
    const expected = `usufruct::${name}::${abortCode})`;
    const expecting = testFiles.filter((test) => files[test].includes(expected));
    if (expecting.length > 0) yield trimmed(expecting, (test) => test.includes(expected));
  }
  yield trimmed(own, () => true);
  yield trimmed(
    testFiles.filter((test) => !own.includes(test)),
    () => true,
  );
}

const support = Object.fromEntries(Object.entries(files).filter(([name]) => !isTest(name) || isSupport(name)));

async function verdictOn({ name, text, abortCode }) {
  for (const tests of stages(name, abortCode)) {
    const tested = await compiledTests({ ...support, [`sources/${name}.move`]: text, ...tests });
    if ('error' in tested) return 'invalid';
    if (!tested.passed) return 'killed';
  }
  return 'survived';
}

process.on('message', async (mutant) => process.send(await verdictOn(mutant)));
