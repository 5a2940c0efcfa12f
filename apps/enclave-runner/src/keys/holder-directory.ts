import { refuse, toUsufructError } from '@usufruct/kernel';
import type { HolderPort } from './holder-port.js';

/** Which of the known holders has which key. What one says of itself counts for nothing: its signed answer does. */
export class HolderDirectory {
  readonly #byKey = new Map<string, HolderPort>();

  constructor(private readonly holders: readonly HolderPort[]) {}

  /**
   * The first answer of the holder with this signing key (base64) that `ask` takes: it must reject what that key has not
   * signed. All that say that they are the one are asked, and who was right is the only one to be asked the next time,
   * as long as it answers. Refuses what it refuses, and `UPSTREAM_UNAVAILABLE` when none says so.
   */
  async ask<T>(signingPublicKey: string, chainId: string, ask: (holder: HolderPort) => Promise<T>): Promise<T> {
    const known = this.#byKey.get(signingPublicKey);
    if (known !== undefined) {
      return ask(known).catch((cause: unknown) => {
        if (isPassing(cause)) this.#byKey.delete(signingPublicKey);
        throw cause;
      });
    }
    const refusals: unknown[] = [];
    const asked = this.holders.map(async (holder) => {
      const identity = await holder.identity();
      if (identity.signingPublicKey !== signingPublicKey || identity.chainId !== chainId) throw refuse('NOT_FOUND');
      const answer = await ask(holder).catch((cause: unknown) => {
        refusals.push(cause);
        throw cause;
      });
      return { holder, answer };
    });
    const found = await Promise.any(asked).catch((cause: unknown) => {
      throw refusals.find((one) => !isPassing(one)) ?? refusals[0] ?? unavailable(cause);
    });
    this.#byKey.set(signingPublicKey, found.holder);
    return found.answer;
  }
}

/** Also an answer that is not the holder's. */
const isPassing = (cause: unknown): boolean => toUsufructError(cause).entry.retry === 'later';
const unavailable = (cause: unknown) => refuse('UPSTREAM_UNAVAILABLE', { upstream: 'key holder' }, cause);
