/** Choices that are the same for the same seed: splitmix32, so that a scenario is known by its number. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Seeds are small and in a row: spread them, or neighbours would begin alike.
    this.#state = Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bf03635;
  }

  /** From `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.#unit() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.#unit() < probability;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.int(0, values.length - 1)];
    if (value === undefined) throw new RangeError('nothing to choose from');
    return value;
  }

  /** One of the values that `isGood` mostly, any of them sometimes, never with probability 1; null where there is none. */
  mostly<T>(values: readonly T[], isGood: (value: T) => boolean, probability = 0.85): T | null {
    const from = this.chance(probability) ? values.filter(isGood) : values;
    return from.length === 0 ? null : this.pick(from);
  }

  /** So many of the values, at least one, in their order. */
  some<T>(values: readonly T[], most = values.length): T[] {
    const count = this.int(1, Math.min(most, values.length));
    const left = [...values.keys()];
    const chosen = Array.from({ length: count }, () => left.splice(this.int(0, left.length - 1), 1)[0] ?? 0);
    return chosen.sort((a, b) => a - b).map((index) => values[index]!);
  }

  weighted<T extends { readonly weight: number }>(values: readonly T[]): T {
    let left = this.#unit() * values.reduce((sum, { weight }) => sum + weight, 0);
    return values.find(({ weight }) => (left -= weight) < 0) ?? values[values.length - 1]!;
  }

  #unit(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state ^ (this.#state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 2 ** 32;
  }
}
