/** What several things under way have to tell, for one reader, in the order in which it was told. */
export class EventQueue<T> {
  readonly #waiting: T[] = [];
  #ended: { readonly error: unknown } | 'well' | null = null;
  #wake: () => void = () => undefined;

  push(event: T): void {
    if (this.#ended !== null) return;
    this.#waiting.push(event);
    this.#wake();
  }
  /** Nothing more comes. */
  end(): void {
    this.#ended ??= 'well';
    this.#wake();
  }
  /** What waits is still read, then the reader gets this error. */
  fail(error: unknown): void {
    this.#ended ??= { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) yield next;
      if (this.#ended === 'well') return;
      if (this.#ended !== null) throw this.#ended.error;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
