/** Child process of `mutate.mjs`: answers `killed`, `survived` or `invalid` for each mutant that it is sent. */
import { compiledTests, packageFiles } from './compiler.mjs';

const files = packageFiles();
const isTest = (name) => name.startsWith('tests/');
/** Fixtures and worlds, which every test may need. */
const isSupport = (name) => isTest(name) && !name.endsWith('_tests.move');

/** The module's own tests first: they notice most mutants, and are a tenth of all. */
function stages(name) {
  const own = [`tests/${name}_tests.move`, 'tests/main_path_tests.move'].filter((test) => test in files);
  const others = Object.keys(files).filter((test) => isTest(test) && !own.includes(test) && !isSupport(test));
  return [own, others];
}

async function verdictOn({ name, text }) {
  const mutated = { ...files, [`sources/${name}.move`]: text };
  for (const tests of stages(name)) {
    const kept = Object.entries(mutated).filter(([n]) => !isTest(n) || isSupport(n) || tests.includes(n));
    const tested = await compiledTests(Object.fromEntries(kept));
    if ('error' in tested) return 'invalid';
    if (!tested.passed) return 'killed';
  }
  return 'survived';
}

process.on('message', async (mutant) => process.send(await verdictOn(mutant)));
