import { BROKEN_CONTRACTS } from './broken-contracts.js';
import { BROKEN_LEDGERS } from './broken-ledgers.js';
import { coverageOf } from './coverage.js';
import { unnoticedContracts, unnoticedLedgers, type AlterLedger } from './noticing.js';
import type { Machine } from './play/ledger.js';
import { isReached, scenarioOf, TARGETS, type Scenario } from './play/scenario.js';
import { disagreements, type Disagreement, type Judge } from './verdicts.js';

export interface Options {
  /** Scenarios of the numbers from `first`. */
  readonly count: number;
  readonly first: number;
  readonly judge: Judge;
  readonly alterLedger: AlterLedger;
  readonly print: (line: string) => void;
}

/** So often something is tried that did not come in its turn. */
const MORE = 60;

/** True if ledger and contracts agree, enough was played, and all that is broken on purpose was noticed. */
export async function conformance({ count, first, judge, alterLedger, print }: Options): Promise<boolean> {
  const sound: Machine = await import('../../apps/local-chain/src/machine/apply.js');
  const scenarios = await told(sound, { count, first });
  const [found, ledgers, contracts] = await Promise.all([
    disagreements(judge, scenarios),
    unnoticedLedgers({ judge, alterLedger, sound }, scenarios),
    unnoticedContracts(judge, scenarios),
  ]);
  const { lines, isEnough } = coverageOf(scenarios);
  const unnoticed = [
    ...ledgers.map((one) => `ledger: ${one.name}`),
    ...contracts.map((one) => `contract: ${one.name}`),
  ];
  for (const line of lines) print(line);
  for (const disagreement of found) print(described(disagreement));
  for (const what of unnoticed) print(`not noticed, a broken ${what}`);
  const broken = `${BROKEN_LEDGERS.length} broken ledgers and ${BROKEN_CONTRACTS.length} broken contracts`;
  print(`${broken}, ${unnoticed.length} not noticed`);
  print(`${found.length} disagreements`);
  return found.length + unnoticed.length === 0 && isEnough;
}

/** Every third by chance, the others aim at each target in turn; then more for the targets that were not reached. */
async function told(machine: Machine, { count, first }: { count: number; first: number }): Promise<Scenario[]> {
  const scenarios: Scenario[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const turn = seed - Math.ceil(seed / 3);
    const aim = seed % 3 === 0 ? null : TARGETS[turn % TARGETS.length]!;
    scenarios.push(await scenarioOf({ seed, aim }, machine));
  }
  let seed = first + count;
  for (const aim of TARGETS.filter((target) => !scenarios.some((one) => one.plan.aim === target && isReached(one)))) {
    for (let i = 0; i < MORE; i++) {
      const scenario = await scenarioOf({ seed: seed++, aim }, machine);
      if (!isReached(scenario)) continue;
      scenarios.push(scenario);
      break;
    }
  }
  return scenarios;
}

function described({ scenario: { plan, refusal }, contracts }: Disagreement): string {
  const said = refusal === null ? 'it runs through' : `${refusal.step.kind} is refused by ${refusal.name}`;
  const twist = refusal === null || refusal.step.twist === null ? '' : ` (${refusal.step.twist})`;
  return `scenario ${plan.seed}: the ledger says that ${said}${twist}, the contracts ${contracts}`;
}
