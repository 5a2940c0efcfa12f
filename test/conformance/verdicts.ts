import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { moduleText, SCENARIOS_PER_MODULE, testName } from './scenario-text.js';
import type { Scenario } from './play/scenario.js';

/** One edit of a Move source, named as in the package. */
export interface Edit {
  readonly file: string;
  /** Stands there once. */
  readonly from: string;
  readonly to: string;
}
/** The Move VM: what it prints about the tests of these modules, or why they did not compile. */
export type Judge = (
  modules: Readonly<Record<string, string>>,
  edit?: Edit | null,
) => Promise<{ readonly error: string } | { readonly passed: boolean; readonly output: string }>;

/** A scenario of which the contracts say something else than the ledger. */
export interface Disagreement {
  readonly scenario: Scenario;
  readonly contracts: string;
}

const SOURCES = resolve('move/usufruct/sources');
const STAGE = resolve('test/conformance/move');
const CONSTANT = /const (E[A-Z]\w*): u64 = (\d+);/g;
const RESULT = /^\[ (PASS|FAIL)\s*\] usufruct::\w+::(\w+)$/gm;
const FAILURE = /┌── (\w+) ─+\n([\s\S]*?)\n└─/g;
const ABORT = /aborted with code (\d+) originating in the module ([\w:]+)/g;

/** `module::Name` of every abort constant, by number; a number names one refusal in the whole package. */
export function abortNames(): ReadonlyMap<string, string> {
  const files = [SOURCES, STAGE].flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  return new Map(
    files.flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      const module = /module usufruct::(\w+);/.exec(text)?.[1] ?? '';
      return [...text.matchAll(CONSTANT)].map(([, name, code]) => [code ?? '', `${module}::${name}`] as const);
    }),
  );
}

/** Those of the scenarios that the contracts play in another way than they say. */
export async function disagreements(
  judge: Judge,
  scenarios: readonly Scenario[],
  edit: Edit | null = null,
): Promise<Disagreement[]> {
  const batches = Array.from({ length: Math.ceil(scenarios.length / SCENARIOS_PER_MODULE) }, (_, i) =>
    scenarios.slice(i * SCENARIOS_PER_MODULE, (i + 1) * SCENARIOS_PER_MODULE),
  );
  const names = abortNames();
  const found = await Promise.all(batches.map(async (batch) => disagreementsOf(judge, { batch, edit, names })));
  return found.flat();
}

interface Batch {
  readonly batch: readonly Scenario[];
  readonly edit: Edit | null;
  readonly names: ReadonlyMap<string, string>;
}

async function disagreementsOf(judge: Judge, { batch, edit, names }: Batch): Promise<Disagreement[]> {
  const judged = await judge({ 'tests/scenarios.move': moduleText(batch) }, edit);
  if ('error' in judged) throw new Error(judged.error);
  const results = new Map([...judged.output.matchAll(RESULT)].map(([, result, name]) => [name, result]));
  const failures = new Map([...judged.output.matchAll(FAILURE)].map(([, name, text]) => [name, text ?? '']));
  // A scenario that the VM does not name was not judged, whatever the reason.
  if (batch.some((scenario, i) => !results.has(testName(scenario, i))))
    throw new Error(`not judged:\n${judged.output}`);
  return batch.flatMap((scenario, i) => {
    if (results.get(testName(scenario, i)) === 'PASS') return [];
    const text = failures.get(testName(scenario, i)) ?? '';
    // The last one is what happened; where another was expected, that stands before it.
    const [, code = '', module = ''] = [...text.matchAll(ABORT)].pop() ?? [];
    const abort = names.get(code) ?? `${module} with code ${code}`;
    if (scenario.refusal?.aborts.includes(abort) === true && `usufruct::${abort}`.startsWith(`${module}::`)) return [];
    return [{ scenario, contracts: code === '' ? (text.split('\n')[0] ?? '') : abort }];
  });
}
