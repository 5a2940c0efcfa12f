/** Said once, by the thread to its process and by that to the runner, before the first answer. */
export const IS_READY = { isReady: true } as const;

export const isReadiness = (message: unknown): message is typeof IS_READY =>
  typeof message === 'object' && message !== null && 'isReady' in message;
