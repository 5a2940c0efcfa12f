import { verify } from '@usufruct/crypto';
import {
  LIMITS,
  parseAnswer,
  requireSealingKey,
  zSignedSealingKey,
  type HolderMemberView,
  type SealingKeyStatement,
} from '@usufruct/protocol';
import { requestJson } from './api/http.js';
import type { ClientContext } from './context.js';

type Asking = Pick<ClientContext, 'chain' | 'clock' | 'fetch'>;
export interface AskedMember {
  readonly url: string;
  readonly member: HolderMemberView;
  /** For errors. */
  readonly upstream: string;
}

/**
 * Ask a member of a holder set which key to seal its shares to. Refuses `SEALING_KEY_INVALID` for anything but its own
 * word that is in force now, and `UPSTREAM_*`. There is nothing to seal to instead.
 */
export async function readSealingKey(
  { chain, clock, fetch }: Asking,
  { url, member, upstream }: AskedMember,
): Promise<SealingKeyStatement> {
  const body = await requestJson({ fetch, url: `${url}/v1/sealing-key`, upstream });
  const signed = parseAnswer(zSignedSealingKey, body, upstream);
  const { chainId, packageId } = await chain.info();
  return requireSealingKey(signed, { member, chainId, packageId, nowMs: clock.nowMs(), verify });
}

/** What holders said, for as long as it is in force: a client asks each once, not for every contribution. */
export class SealingKeys {
  readonly #known = new Map<string, Promise<SealingKeyStatement>>();

  /** 32 bytes. As `readSealingKey`. */
  async publicKey(context: Asking, asked: AskedMember): Promise<Uint8Array> {
    const { signingPublicKey } = asked.member;
    const known = this.#known.get(signingPublicKey);
    if (known !== undefined) {
      const { publicKey, notAfterMs } = await known;
      // Clocks differ, and what is sealed now has to arrive.
      if (context.clock.nowMs() < notAfterMs - LIMITS.clockSkewMs) return publicKey;
    }
    const reading = readSealingKey(context, asked);
    this.#known.set(signingPublicKey, reading);
    reading.catch(() => {
      if (this.#known.get(signingPublicKey) === reading) this.forget(asked.member);
    });
    return (await reading).publicKey;
  }

  /** The holder says that it has another one by now. */
  forget({ signingPublicKey }: HolderMemberView): void {
    this.#known.delete(signingPublicKey);
  }
}
