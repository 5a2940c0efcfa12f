import { equalBytes, fromBase64, refuse } from '@usufruct/kernel';
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
 * Where each member of the holder set is reached, by its signing key; `null` for a member that none of the known
 * addresses answers for now.
 */
export async function locateMembers(context: ClientContext, set: HolderSetView): Promise<(string | null)[]> {
  return locatedIn(await knownHolders(context), set);
}

export function locatedIn(known: readonly KnownHolder[], set: HolderSetView): (string | null)[] {
  return set.members.map((member) => {
    const key = fromBase64(member.signingPublicKey);
    return known.find(({ identity }) => equalBytes(fromBase64(identity.signingPublicKey), key))?.url ?? null;
  });
}
