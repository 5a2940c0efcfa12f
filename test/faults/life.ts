/** What a process that was killed throws at whoever still runs its code; nobody outside it hears of this. */
export class Killed extends Error {}

/**
 * One life of a process in this one. It dies between two of its statements: what it waits for never comes then, and
 * every further touch of its files throws. `onDeath` runs at that very moment, so that it finds the files as a kill
 * leaves them.
 */
export class Life {
  #isOver = false;
  #fuse: number | null = null;
  readonly #end = Promise.withResolvers<never>();

  constructor(private readonly onDeath: () => void) {
    this.#end.promise.catch(() => undefined);
  }
  get isOver(): boolean {
    return this.#isOver;
  }
  /** Die after so many more steps. */
  arm(steps: number): void {
    this.#fuse ??= steps;
  }
  kill(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onDeath();
    this.#end.reject(new Killed());
  }
  /** Between two statements. */
  step(): void {
    if (!this.#isOver && this.#fuse !== null && --this.#fuse <= 0) this.kill();
    if (this.#isOver) throw new Killed();
  }
  /** A synchronous deed on its files, with a chance to die before and after it. */
  act<T>(deed: () => T): T {
    this.step();
    const result = deed();
    this.step();
    return result;
  }
  /** The answer of something outside, which the dead never get. */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    this.step();
    const settled = await question().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if (this.#isOver) await new Promise(() => undefined);
    this.step();
    if ('error' in settled) throw settled.error;
    return settled.value;
  }
  /** For those outside: what became of it, or that it died meanwhile. */
  orDeath<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    return Promise.race([work, this.#end.promise]);
  }
}
