import type { RandomSource } from '@usufruct/kernel';
import { seededRandom } from '@usufruct/testing';

/** Choices that a seed repeats. */
export class Dice {
  readonly #bytes: RandomSource;
  constructor(seed: string) {
    this.#bytes = seededRandom(seed);
  }
  /** From 0 to below 1. */
  unit(): number {
    return new DataView(this.#bytes(4).buffer).getUint32(0) / 2 ** 32;
  }
  /** Both ends are possible. */
  between(least: number, most: number): number {
    return least + Math.floor(this.unit() * (most - least + 1));
  }
  chance(probability: number): boolean {
    return this.unit() < probability;
  }
  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.unit() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}
