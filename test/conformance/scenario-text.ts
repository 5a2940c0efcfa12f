import { CHAIN } from './play/cast.js';
import * as move from './play/move-text.js';
import type { Scenario } from './play/scenario.js';

/** How many scenarios one module holds: the VM has no room for many more in one package. */
export const SCENARIOS_PER_MODULE = 60;

/** Of the package, and the stage. */
const USED =
  'effect, governance, licence_terms, payout_rules, stage, stage_daos, stage_data, stage_findings, stage_jobs';

/** Name of the test of the module's scenario of this index. */
export const testName = ({ plan }: Scenario, index: number): string => `s${index}_seed_${plan.seed}`;

/** The scenarios as a module of Move tests: each runs through and finds what the ledger holds, or aborts as it says. */
export function moduleText(scenarios: readonly Scenario[]): string {
  const tests = scenarios.map(testText).join('\n');
  return `#[test_only]\n/// Made by \`npm run move:conformance\`.\nmodule usufruct::scenarios;\n\nuse usufruct::{${USED}};\n\n${tests}`;
}

function testText(scenario: Scenario, index: number): string {
  const { steps, finalState, refusal } = scenario;
  const lines = [`let mut s = stage::begin(${move.text(CHAIN.chainId)}, ${move.address(CHAIN.protocolAccount)});`];
  let atMs = 0;
  for (const step of [...steps, ...(refusal === null ? [] : [refusal.step])]) {
    if (step === refusal?.step) lines.push(...finalState.map(move.statement));
    if (step.atMs !== atMs) lines.push(`stage::at(&mut s, ${step.atMs});`);
    atMs = step.atMs;
    lines.push(move.statement(step.call));
  }
  if (refusal === null) lines.push(...finalState.map(move.statement));
  lines.push('stage::end(s);');
  const expected = refusal === null ? '' : `#[expected_failure(abort_code = usufruct::${refusal.aborts[0] ?? ''})]\n`;
  const title = refusal === null ? 'runs through' : `${refusal.step.kind} is refused by ${refusal.name}`;
  return `#[test]\n/// ${title}\n${expected}fun ${testName(scenario, index)}() {\n    ${lines.join('\n    ')}\n}\n`;
}
