import type { ErrorCode, UsufructError } from '@usufruct/kernel';
import { valueOrThrow, type Operation } from './api/graphql.js';
import type { ClientContext } from './context.js';
import { retrying } from './wait.js';

/** The API learns of an object from the chain's events, a moment after the transaction. */
const PROJECTION_TIMEOUT_MS = 20_000;

/** What a describing mutation takes; `I` names the object and holds its words. */
type Describing<I, T> = Operation<{ readonly input: I }, { readonly result: T | UsufructError }>;

/**
 * Tell the API the words whose digest the chain has, once it knows the object: until then it answers with one of
 * `notYet`. Telling them again changes nothing, so whoever sees this fail calls the whole flow again: its transaction
 * is not sent a second time.
 */
export async function describe<I, T>(
  context: ClientContext,
  mutation: Describing<I, T>,
  input: I,
  notYet: readonly ErrorCode[] = ['NOT_FOUND'],
): Promise<void> {
  const isWorthRetrying = ({ code }: UsufructError): boolean => notYet.includes(code);
  await retrying({ clock: context.clock, timeoutMs: PROJECTION_TIMEOUT_MS, isWorthRetrying }, async () => {
    valueOrThrow((await context.api.request(mutation, { input })).result);
  });
}
