import { UsufructError, type Clock } from '@usufruct/kernel';

export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });

export interface RetryParams {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly isWorthRetrying: (error: UsufructError) => boolean;
  readonly signal?: AbortSignal;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Try until it works, the error is not worth retrying, or the time is over: then the last error is thrown. */
export async function retrying<T>(params: RetryParams, attempt: () => Promise<T>): Promise<T> {
  const endMs = params.clock.nowMs() + params.timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      const retry = error instanceof UsufructError && params.isWorthRetrying(error);
      if (!retry || params.clock.nowMs() + pauseMs > endMs) throw error;
      await pause(pauseMs, params.signal);
    }
  }
}
