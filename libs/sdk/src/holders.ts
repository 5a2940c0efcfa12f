import { equalBytes, fromBase64, refuse, toUsufructError } from '@usufruct/kernel';
import { parseAnswer, zHolderIdentity, type HolderIdentity, type HolderSetView } from '@usufruct/protocol';
import { requestJson } from './api/http.js';
import type { ClientContext } from './context.js';

export interface KnownHolder {
  readonly url: string;
  readonly identity: HolderIdentity;
}

export const holderName = (member: number): string => `key holder ${member + 1}`;

/** Ask a key holder who it is. Its word counts only as far as the chain's holder set repeats it. */
export async function readIdentity(context: ClientContext, url: string): Promise<KnownHolder> {
  const upstream = `key holder at ${url}`;
  const body = await requestJson({ fetch: context.fetch, url: `${url}/v1/identity`, upstream });
  const identity = parseAnswer(zHolderIdentity, body, upstream);
  const { chainId } = await context.chain.info();
  if (identity.chainId !== chainId) throw refuse('UPSTREAM_INVALID', { upstream, field: 'chainId' });
  return { url, identity };
}

/** All key holders of this client that answer now. */
export async function knownHolders(context: ClientContext): Promise<KnownHolder[]> {
  const answers = await Promise.allSettled(context.holders.map(({ url }) => readIdentity(context, url)));
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
}

/**
 * Where each member of the holder set may be reached: every known address whose holder says that it has that member's
 * signing key. Any holder can say so; whoever asks takes the answer that the key has signed (`firstGood`).
 */
export async function locateMembers(context: ClientContext, set: HolderSetView): Promise<string[][]> {
  return locatedIn(await knownHolders(context), set);
}

export function locatedIn(known: readonly KnownHolder[], set: HolderSetView): string[][] {
  return set.members.map((member) => {
    const key = fromBase64(member.signingPublicKey);
    const those = known.filter(({ identity }) => equalBytes(fromBase64(identity.signingPublicKey), key));
    return those.map(({ url }) => url);
  });
}

/**
 * The first answer that `ask` takes, which must reject what the member has not signed: one address after another, so
 * that a holder that poses as another costs time and nothing else. Refuses `UPSTREAM_UNAVAILABLE` where there is no
 * address, and what the member refuses rather than what another made up, as far as that can be told.
 */
export async function firstGood<T>(
  urls: readonly string[],
  upstream: string,
  ask: (url: string) => Promise<T>,
): Promise<T> {
  const refusals: unknown[] = [];
  for (const url of urls) {
    try {
      return await ask(url);
    } catch (error) {
      refusals.push(error);
    }
  }
  const isPassing = (error: unknown): boolean => toUsufructError(error).entry.retry === 'later';
  throw refusals.find((one) => !isPassing(one)) ?? refusals[0] ?? refuse('UPSTREAM_UNAVAILABLE', { upstream });
}
