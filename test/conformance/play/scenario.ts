import { asTimestampMs } from '@usufruct/kernel';
import type { ChainActionKind } from '@usufruct/protocol';
import { ACTORS, actorOf } from '../actions/index.js';
import { RETIRED } from '../actions/voting.js';
import type { Actor, Attempt, Play } from './actor.js';
import { MINUTE_MS } from './cast.js';
import { finalState } from './final-state.js';
import { Ledger, type Machine } from './ledger.js';
import type { Call } from './move-text.js';
import { Random } from './random.js';
import { refusalName } from './refusal-name.js';

export interface Step {
  readonly atMs: number;
  readonly kind: ChainActionKind;
  /** The twist, or the way, by which it was played. */
  readonly twist: string | null;
  readonly call: Call;
}
/** The step with which a scenario ends when the ledger refuses it, and the aborts that mean the same. */
export interface Refusal {
  readonly step: Step;
  readonly name: string;
  readonly aborts: readonly string[];
}
export interface Scenario {
  readonly plan: Plan;
  readonly steps: readonly Step[];
  /** What the contracts must hold after the steps, before the refusal. */
  readonly finalState: readonly Call[];
  readonly refusal: Refusal | null;
}

/** What leads to a DAO with data, a runner and a job; other steps happen in between. */
const BEGINNING: readonly ChainActionKind[] = [
  'createHolderSet',
  'createDao',
  'createDataset',
  'registerContribution',
  'decideContribution',
  'giveGrant',
  'registerContribution',
  'giveGrant',
  'decideContribution',
  'registerRunner',
  'mint',
  'fundJob',
  'settleReceipt',
];
/** A way to play an action slightly wrong, or right after all that it needs was prepared. */
export interface Target {
  readonly actor: Actor;
  readonly twist: string | null;
  readonly isRight: boolean;
}
export const TARGETS: readonly Target[] = ACTORS.flatMap((actor) => [
  ...actor.twists.map((twist) => ({ actor, twist, isRight: false })),
  ...(actor.ways ?? []).map((twist) => ({ actor, twist, isRight: true })),
  ...(actor.prepare === undefined ? [] : [{ actor, twist: null, isRight: true }]),
]);
const TRIES = 10;

/** Whether the scenario came to what it aimed at. */
export function isReached({ plan: { aim }, steps, refusal }: Scenario): boolean {
  if (aim === null) return false;
  const { actor, twist, isRight } = aim;
  if (isRight) return steps.some((step) => step.kind === actor.kind && step.twist === twist);
  if (refusal?.step.kind !== actor.kind || refusal.step.twist !== twist) return false;
  return refusal.name === (actor.meets?.[twist ?? ''] ?? refusal.name);
}

/** A scenario before it is told. */
export interface Plan {
  /** What chance does in it. */
  readonly seed: number;
  /** What it is to end with; without that it ends with what is refused by chance. */
  readonly aim: Target | null;
}

/**
 * What happens by this ledger: the same every time. While what is aimed at is being prepared, steps that are refused are
 * left out; with `endsRefused` they end the scenario, so that none goes unjudged.
 */
export async function scenarioOf(plan: Plan, machine: Machine, endsRefused = false): Promise<Scenario> {
  const telling = new Telling(plan, machine, endsRefused);
  await telling.begin();
  if (plan.aim === null) await telling.goOn(telling.random.int(5, 14), true);
  else await telling.aim(plan.aim);
  return telling.end();
}

/** The ledger refused for a reason that the contracts do not have. */
export class UnnamedRefusal extends Error {}

class Telling {
  readonly random: Random;
  readonly #ledger: Ledger;
  readonly #play: Play;
  readonly #steps: Step[] = [];
  #refusal: Refusal | null = null;

  constructor(
    readonly plan: Plan,
    machine: Machine,
    readonly endsRefused: boolean,
  ) {
    this.random = new Random(plan.seed);
    this.#ledger = new Ledger(machine);
    const needs = plan.aim?.actor.needs?.(plan.aim.twist) ?? {};
    this.#play = { ledger: this.#ledger, random: this.random, needs };
  }

  async begin(): Promise<void> {
    for (const kind of BEGINNING) {
      await this.#step(actorOf(kind), null, false);
      if (this.random.chance(0.2)) await this.goOn(1, false);
    }
  }

  /** So many steps by anybody; the first that is refused is left out, or is the end. */
  async goOn(count: number, endsRefused: boolean): Promise<void> {
    for (let i = 0; i < count && this.#refusal === null; i++) {
      this.#wait();
      await this.#step(this.random.weighted(ACTORS), null, endsRefused);
    }
  }

  /** Until this has happened or was refused, or has been tried often. */
  async aim({ actor, twist, isRight }: Target): Promise<void> {
    for (let i = 0; i < TRIES && this.#refusal === null; i++) {
      for (const kind of actor.before?.[twist ?? ''] ?? []) await this.#step(actorOf(kind), null, false);
      const happened = await this.#step(actor, twist, true);
      const last = this.#steps.at(-1);
      if (this.#refusal !== null || (isRight && last?.kind === actor.kind && last.twist === twist)) return;
      await this.goOn(1, false);
      for (const kind of happened ? [] : (actor.prepare ?? [])) await this.#step(actorOf(kind), null, false);
    }
  }

  end(): Scenario {
    return { plan: this.plan, steps: this.#steps, finalState: finalState(this.#ledger), refusal: this.#refusal };
  }

  /** False where there was nothing to do it to. */
  async #step(actor: Actor, twist: string | null, endsRefused: boolean): Promise<boolean> {
    const attempt = this.#refusal === null ? await actor.attempt(this.#play, twist) : null;
    if (attempt === null) return false;
    const step = { atMs: this.#ledger.nowMs, kind: actor.kind, twist, call: attempt.call };
    const name = await this.#refusalOf(attempt);
    if (name === null) this.#steps.push(step);
    else if ((endsRefused || this.endsRefused) && !this.#isWrongTwice(twist)) {
      this.#refusal = { step, name, aborts: abortsOf(actor, name) };
    }
    return true;
  }

  /** A pause or a retired dataset is in the way of what is wrong anyway: each side says its own first reason. */
  #isWrongTwice(twist: string | null): boolean {
    if (twist === null) return false;
    if (twist !== 'paused' && this.#ledger.all('dao').some(({ paused }) => paused)) return true;
    const isRetired = this.#ledger.all('dataset').some(({ tombstonedAtMs }) => tombstonedAtMs !== null);
    return isRetired && !twist.endsWith(RETIRED);
  }

  async #refusalOf({ sender, action }: Attempt): Promise<string | null> {
    const { refused } = await this.#ledger.play(sender, action);
    return refused === null ? null : refusalName(refused, this.#ledger);
  }

  /** Mostly a little; sometimes to the very moment when something ends, or just before. */
  #wait(): void {
    const { random } = this;
    const ledger = this.#ledger;
    if (random.chance(0.4)) return;
    const ends = [
      ...ledger.all('job').map(({ expiresAtMs }) => expiresAtMs),
      ...ledger.all('grant').map(({ terms }) => terms.expiresAtMs),
      ...ledger.all('runner').map(({ expiresAtMs }) => expiresAtMs),
    ].flatMap((endMs) => [endMs, endMs - 1]);
    const soon = ends.filter((endMs) => endMs > ledger.nowMs && endMs < ledger.nowMs + 45 * MINUTE_MS);
    const passed = ledger.nowMs + random.pick([1, 1_000, MINUTE_MS, 4 * MINUTE_MS]);
    ledger.nowMs = asTimestampMs(soon.length > 0 && random.chance(0.3) ? random.pick(soon) : passed);
  }
}

function abortsOf(actor: Actor, name: string): readonly string[] {
  const aborts = actor.refusals[name];
  if (aborts === undefined) throw new UnnamedRefusal(`${actor.kind} is refused by ${name}: no abort is named for it`);
  return aborts;
}
