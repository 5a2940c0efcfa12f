/** `npm run move:test`: the Move unit tests on the real VM, and the rules for abort codes. */
import { abortCodes } from './abort-codes.mjs';
import { runCompiler } from './run.mjs';

const TOTAL = /Total tests: (\d+); passed: (\d+); failed: (\d+)/;

async function test() {
  const { codes, faults } = await abortCodes();
  const tested = await runCompiler(['test']);
  if (tested.error !== undefined) return { ok: false, text: tested.error };
  const [, total = '0', passed = '0', failed = '0'] = TOTAL.exec(tested.output) ?? [];
  const ok = tested.passed && faults.length === 0 && Number(total) > 0 && passed === total;
  const shown = tested.passed ? [] : [tested.output];
  const text = [...shown, ...faults, `${passed} passed, ${failed} failed; ${codes.length} abort codes`].join('\n');
  return { ok, text };
}

const { ok, text } = await test();
process.stdout.write(`${text}\n`);
process.exitCode = ok ? 0 : 1;
