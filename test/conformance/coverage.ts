import { ACTORS, UNREACHED } from './actions/index.js';
import type { Actor } from './play/actor.js';
import type { Scenario } from './play/scenario.js';

/** What must have been played at least: every action, every way, and this part of all refusals in the tables. */
const REFUSALS_AT_LEAST = 0.99;

export interface Coverage {
  readonly lines: readonly string[];
  readonly isEnough: boolean;
}

/** What the scenarios reach, and what they do not. */
export function coverageOf(scenarios: readonly Scenario[]): Coverage {
  const steps = scenarios.flatMap((scenario) => scenario.steps);
  const refused = scenarios.flatMap(({ refusal }) =>
    refusal === null ? [] : [`${refusal.step.kind} refused by ${refusal.name}`],
  );
  const [played, met] = [new Set(steps.map(({ kind }) => kind)), new Set(refused)];
  const isPlayed = (actor: Actor, way: string): boolean =>
    steps.some(({ kind, twist }) => kind === actor.kind && twist === way);
  const ways = ACTORS.flatMap(({ kind, refusals }) =>
    Object.keys(refusals).map((name) => `${kind} refused by ${name}`),
  );
  const unplayed = [
    ...ACTORS.filter(({ kind }) => !played.has(kind)).map(({ kind }) => kind),
    ...ACTORS.flatMap((one) =>
      (one.ways ?? []).filter((way) => !isPlayed(one, way)).map((way) => `${one.kind} ${way}`),
    ),
  ];
  const unmet = ways.filter((way) => !met.has(way));
  return {
    lines: [
      `${scenarios.length} scenarios: ${scenarios.length - refused.length} run through, ${refused.length} end refused`,
      `${steps.length} steps of ${played.size} actions, ${met.size} of ${ways.length} refusals`,
      ...UNREACHED.map(([what, why]) => `out of reach: ${what}, ${why}`),
      ...[...unplayed, ...unmet].map((way) => `never played: ${way}`),
    ],
    isEnough: unplayed.length === 0 && met.size >= ways.length * REFUSALS_AT_LEAST,
  };
}
