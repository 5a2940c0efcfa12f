import type { ChainAction } from '@usufruct/protocol';
import type { ClientContext } from './context.js';
import { executeOnce } from './transactions.js';

export interface ActParams<T> {
  readonly context: ClientContext;
  /** The journal's name for this act; the signer's address is added to it. */
  readonly key: string;
  readonly action: ChainAction;
  /** What the act changes, from this client's own view of the chain. */
  readonly read: () => Promise<T>;
  /** `wasSent`: an earlier call sent it, and it has succeeded by now. */
  readonly isDone: (state: T, wasSent: boolean) => boolean;
}

/**
 * Do what is either done or not, once: a repetition sends nothing. What an earlier call sent without learning its
 * outcome is settled first, because others may have undone it since.
 */
export async function actOnce<T>(params: ActParams<T>): Promise<T> {
  const { context, action, read, isDone } = params;
  const { journal, signer } = context;
  const key = `${params.key}/${signer.address}`;
  const execute = async (): Promise<void> => {
    await executeOnce({ ...context, key, actions: [action] });
    await journal.delete(key);
  };
  const wasSent = (await journal.get(key)) !== null;
  if (wasSent) await execute();
  const before = await read();
  if (isDone(before, wasSent)) return before;
  await execute();
  return read();
}
