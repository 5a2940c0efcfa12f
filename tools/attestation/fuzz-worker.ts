/** Child process of `fuzz.mjs`: fuzzes the parsers that it is sent, and tells its parent how far it is with each. */
import { fuzz } from './fuzz-loop.ts';
import { fuzzTarget } from './fuzz-targets.ts';

interface Order {
  readonly name: string;
  readonly seed: number;
  readonly first: number;
  readonly durationMs: number;
}

process.on('message', async ({ name, ...numbers }: Order) => {
  const target = await fuzzTarget(name);
  if (target === null) throw new Error(`no parser ${name}`);
  process.send?.({ ready: true });
  const report = await fuzz({ target, ...numbers, onProgress: (inputs) => process.send?.({ inputs }) });
  process.send?.({ report });
});
