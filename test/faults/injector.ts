import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from './dice.js';

/** What may become of one message. */
export type Fault = 'drop-request' | 'drop-reply' | 'late' | 'duplicate' | 'delay';
const FAULTS: readonly Fault[] = ['drop-request', 'drop-reply', 'late', 'duplicate', 'delay'];

/** Does wrong to messages, and keeps what it and others did, for the count and for whoever reads a failure. */
export class Injector {
  readonly trail: string[] = [];
  readonly counts = new Map<string, number>();
  isQuiet = false;
  readonly #underWay = new Set<Promise<void>>();

  constructor(private readonly dice: Dice) {}

  get events(): number {
    return this.trail.length;
  }
  note(kind: string, about: string): void {
    if (this.isQuiet) return;
    this.trail.push(`${kind} ${about}`);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /**
   * One exchange over a bad line. The caller hears of a lost or late one as of a connection that broke; a late request
   * has its effect when the caller has given up.
   */
  async carry<T>(line: string, probability: number, exchange: () => Promise<T>): Promise<T> {
    const fault = this.isQuiet || !this.dice.chance(probability) ? null : this.dice.pick(FAULTS);
    if (fault === null) return exchange();
    this.note(fault, line);
    const lost = new TypeError('fetch failed');
    switch (fault) {
      case 'drop-request':
        throw lost;
      case 'drop-reply':
        await exchange().catch(() => undefined);
        throw lost;
      case 'late':
        this.#later(this.dice.between(1, 60), exchange);
        throw lost;
      case 'duplicate':
        await exchange().catch(() => undefined);
        return exchange();
      case 'delay':
        await sleep(this.dice.between(1, 15));
        return exchange();
    }
  }

  /** Until nothing is on its way any more. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #later(afterMs: number, exchange: () => Promise<unknown>): void {
    const work = sleep(afterMs)
      .then(exchange)
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }
}
