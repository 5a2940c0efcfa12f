/** Resolves when the user, or whoever manages the process, wants it to end. */
export function untilStopped(also?: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    void also?.then(stop, stop);
  });
}
