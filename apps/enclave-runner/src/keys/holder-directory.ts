import { refuse } from '@usufruct/kernel';
import type { HolderPort } from './holder-port.js';

/** Which of the known holders has which key. What one says is believed only as far as signatures show it later. */
export class HolderDirectory {
  readonly #byKey = new Map<string, HolderPort>();

  constructor(private readonly holders: readonly HolderPort[]) {}

  /** By its signing key, base64; the first that says it is the one. Refuses `UPSTREAM_UNAVAILABLE` when none does. */
  async find(signingPublicKey: string, chainId: string): Promise<HolderPort> {
    const known = this.#byKey.get(signingPublicKey);
    if (known !== undefined) return known;
    const asked = this.holders.map(async (holder) => {
      const identity = await holder.identity();
      if (identity.signingPublicKey !== signingPublicKey || identity.chainId !== chainId) throw refuse('NOT_FOUND');
      return holder;
    });
    const found = await Promise.any(asked).catch((cause: unknown) => {
      throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'key holder' }, cause);
    });
    this.#byKey.set(signingPublicKey, found);
    return found;
  }

  /** Ask again the next time: another process may answer there by now. */
  forget(signingPublicKey: string): void {
    this.#byKey.delete(signingPublicKey);
  }
}
