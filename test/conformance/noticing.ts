import { BROKEN_CONTRACTS, type BrokenContract } from './broken-contracts.js';
import { BROKEN_LEDGERS, type BrokenLedger } from './broken-ledgers.js';
import type { Machine } from './play/ledger.js';
import { scenarioOf, UnnamedRefusal, type Scenario } from './play/scenario.js';
import { moduleText } from './scenario-text.js';
import { disagreements, type Judge } from './verdicts.js';

/** From then on an import of the machine with `?altered=name` is the altered copy. */
export type AlterLedger = (name: string, edit: Pick<BrokenLedger, 'file' | 'from' | 'to'>) => void;

/** So many scenarios that a broken ledger tells differently are judged, of so many that are told again. */
const DIFFERING = 12;
const TOLD_AGAIN = 60;
/** So many scenarios a broken contract plays. */
const PLAYED = 12;

/** The broken ledgers that the contracts contradict in nothing. */
export async function unnoticedLedgers(
  { judge, alterLedger, sound }: { judge: Judge; alterLedger: AlterLedger; sound: Machine },
  scenarios: readonly Scenario[],
): Promise<BrokenLedger[]> {
  const told = new Map<Scenario, BrokenLedger>();
  const noticed = new Set<BrokenLedger>();
  for (const broken of BROKEN_LEDGERS) {
    alterLedger(broken.name, broken);
    const copy = `../../apps/local-chain/src/machine/apply.js?altered=${encodeURIComponent(broken.name)}`;
    const machines = { sound, altered: (await import(copy)) as Machine };
    const differing = await tellDifferently(machines, playing(scenarios, broken).slice(0, TOLD_AGAIN));
    for (const scenario of differing ?? []) told.set(scenario, broken);
    if (differing === null) noticed.add(broken);
  }
  for (const { scenario } of await disagreements(judge, [...told.keys()])) noticed.add(told.get(scenario)!);
  return BROKEN_LEDGERS.filter((broken) => !noticed.has(broken));
}

/** A few that are not as the sound ledger tells them; null where it refuses for a reason that no contract has. */
async function tellDifferently(
  { sound, altered }: { sound: Machine; altered: Machine },
  scenarios: readonly Scenario[],
): Promise<Scenario[] | null> {
  const differing: Scenario[] = [];
  try {
    for (const [i, { plan }] of scenarios.entries()) {
      // One that refuses too much is contradicted only where the scenario ends with that.
      const endsRefused = i % 2 === 1;
      const told = await scenarioOf(plan, altered, endsRefused);
      if (moduleText([told]) !== moduleText([await scenarioOf(plan, sound, endsRefused)])) differing.push(told);
      if (differing.length === DIFFERING) break;
    }
  } catch (error) {
    if (error instanceof UnnamedRefusal) return null;
    throw error;
  }
  return differing;
}

/** The broken contracts that play everything as the ledger says. */
export async function unnoticedContracts(judge: Judge, scenarios: readonly Scenario[]): Promise<BrokenContract[]> {
  const found = await Promise.all(
    BROKEN_CONTRACTS.map((broken) => disagreements(judge, playing(scenarios, broken).slice(0, PLAYED), broken)),
  );
  return BROKEN_CONTRACTS.filter((_, i) => found[i]?.length === 0);
}

/** First those that end as the broken one should not, or, where that is no refusal, those that have its action. */
function playing(
  scenarios: readonly Scenario[],
  { kind, refusal, twist }: Pick<BrokenLedger, 'kind' | 'refusal' | 'twist'>,
): Scenario[] {
  const isAbout = ({ steps, refusal: end }: Scenario): boolean => {
    if (refusal === undefined) return steps.some((step) => step.kind === kind);
    return end?.step.kind === kind && end.name === refusal && end.step.twist === (twist ?? end.step.twist);
  };
  const isNear = ({ steps, refusal: end }: Scenario): boolean =>
    end?.step.kind === kind || steps.some((step) => step.kind === kind);
  const playedIn = ({ steps }: Scenario): number => steps.filter((step) => step.kind === kind).length;
  // Where it ends with no refusal, the more often the action is played, the more there is to notice.
  const about = scenarios.filter(isAbout);
  if (refusal === undefined) about.sort((a, b) => playedIn(b) - playedIn(a));
  return [...about, ...scenarios.filter((scenario) => isNear(scenario) && !about.includes(scenario))];
}
