const BYTES_IN_FLIGHT = 1024 ** 2;

/** How many chunks are given to WebCrypto before the first result is awaited: enough to keep several cores busy. */
export const windowFor = (chunkBytes: number): number =>
  Math.min(64, Math.max(3, Math.floor(BYTES_IN_FLIGHT / chunkBytes)));

/** Results of jobs in the order in which the jobs were started, whatever order they end in. */
export class InFlight<T> {
  readonly #jobs: Promise<T>[] = [];

  start(job: Promise<T>): void {
    // A reader that stops early never awaits the rest; their failures are then nobody's, and must not end the process.
    job.catch(() => undefined);
    this.#jobs.push(job);
  }

  /** The oldest results, so that at most `most` jobs stay. */
  async *drainTo(most: number): AsyncGenerator<T, void> {
    while (this.#jobs.length > most) yield await this.#jobs.shift()!;
  }
}
