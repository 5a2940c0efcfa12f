/** A queue of one: each piece of work begins when the one before has ended, whatever became of it. */
export class OneAtATime {
  private last: Promise<unknown> = Promise.resolve();

  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work, work);
    this.last = result.catch(() => undefined);
    return result;
  }
}
