import { refuse } from '@usufruct/kernel';

/** What a key holder said is not what it must say; names the part of its answer. */
export const holderFlaw = (field: string) => refuse('UPSTREAM_INVALID', { upstream: 'key holder', field });

/** What a key holder's bytes mean, or `UPSTREAM_INVALID` naming them. */
export function parsedFromHolder<T>(parse: () => T, field: string): T {
  try {
    return parse();
  } catch (cause) {
    throw refuse('UPSTREAM_INVALID', { upstream: 'key holder', field }, cause);
  }
}
