/**
 * Resolves when the user, or whoever manages the process, wants it to end. Giving back what is in escrow takes a moment
 * then, in which a second SIGTERM changes nothing; a second Ctrl-C ends the process.
 */
export function untilStopped(also?: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    const stop = (): void => {
      isStopping = true;
      resolve();
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', () => (isStopping ? process.exit(1) : stop()));
    void also?.then(stop, stop);
  });
}
