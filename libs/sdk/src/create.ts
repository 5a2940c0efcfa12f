import { toHex32, UsufructError, type Hex32 } from '@usufruct/kernel';
import { zHex32, type ChainAction } from '@usufruct/protocol';
import { z } from 'zod';
import type { ClientContext } from './context.js';
import { recordOnce } from './journal.js';
import { executeOnce } from './transactions.js';

const zSalt = z.object({ salt: zHex32() });

export interface CreateParams<T> {
  readonly context: ClientContext;
  /** The journal's name for this object: the same key names the same object, also in a later process. */
  readonly key: string;
  readonly read: (salt: Hex32) => Promise<T>;
  readonly action: (salt: Hex32) => ChainAction;
}

/** Make an object on the chain once: its salt is stored first, and it is looked for before anything is sent. */
export async function createOnce<T>({ context, key, read, action }: CreateParams<T>): Promise<T> {
  const { salt } = await recordOnce(context.journal, `create/${key}/salt`, zSalt, () => ({
    salt: toHex32(context.random(32)),
  }));
  const existing = await orNull(read(salt));
  if (existing !== null) return existing;
  const transactionKey = `create/${key}/transaction`;
  await executeOnce({ ...context, key: transactionKey, actions: [action(salt)] });
  const made = await read(salt);
  await context.journal.delete(transactionKey);
  return made;
}

/** `null` for `NOT_FOUND`; everything else is passed on. */
export async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof UsufructError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
