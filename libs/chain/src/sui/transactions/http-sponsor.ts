import { fromBase64, refuse, toBase64, UsufructError, type Address } from '@usufruct/kernel';
import { parseAnswer, zBase64 } from '@usufruct/protocol';
import { z } from 'zod';
import { parseJson } from '../../http.js';
import type { Sponsor } from './sponsor.js';

const UPSTREAM = 'sponsor';
/** Sui's limit for a transaction; a signature of any scheme is far smaller. */
const TRANSACTION_AT_MOST_BYTES = 128 * 1024;
const ANSWER_AT_MOST_BYTES = 256 * 1024;

const zSponsored = z.object({ bytes: zBase64(TRANSACTION_AT_MOST_BYTES), signature: z.base64().max(16_384) });

export interface SponsorSettings {
  readonly url: string;
  /** Whose coins pay; a transaction that names another payer is refused. */
  readonly address: Address;
}
export interface HttpSponsorOptions extends SponsorSettings {
  readonly timeoutMs: number;
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * A sponsor behind an address: `POST {kind, sender, lastEpoch}`, answered by `{bytes, signature}`, all base64 but the
 * sender and the epoch, a decimal string. It decides for itself whose gas it pays.
 *
 * There is no falling back to the sender's own gas: `UPSTREAM_UNAVAILABLE` when it does not answer in time or says no,
 * `UPSTREAM_INVALID` for an answer of another form. That the transaction is the one that was asked for is checked by
 * whoever asked (`requireSponsored`).
 */
export const httpSponsor = ({ url, address, timeoutMs, fetch = globalThis.fetch }: HttpSponsorOptions): Sponsor => ({
  address,
  sponsor: async ({ kind, sender, lastEpoch }) => {
    const body = JSON.stringify({ kind: toBase64(kind), sender, lastEpoch: String(lastEpoch) });
    const answer = parseAnswer(zSponsored, await ask({ url, timeoutMs, fetch }, body), UPSTREAM);
    return { bytes: fromBase64(answer.bytes), signature: answer.signature };
  },
});

async function ask(
  { url, timeoutMs, fetch }: Required<Omit<HttpSponsorOptions, 'address'>>,
  body: string,
): Promise<unknown> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    // An answer from elsewhere is nobody's that was configured.
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  } as const;
  let text: string;
  try {
    const response = await fetch(url, init);
    if (!response.ok) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: UPSTREAM, status: String(response.status) });
    text = await textAtMost(response, ANSWER_AT_MOST_BYTES);
  } catch (error) {
    if (error instanceof UsufructError) throw error;
    throw refuse('UPSTREAM_UNAVAILABLE', { upstream: UPSTREAM }, error);
  }
  return parseJson(text, UPSTREAM);
}

async function textAtMost(response: Response, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  const reader = response.body?.getReader();
  for (let piece = await reader?.read(); piece?.value !== undefined; piece = await reader?.read()) {
    length += piece.value.length;
    if (length > limit) {
      await reader?.cancel();
      throw refuse('UPSTREAM_INVALID', { upstream: UPSTREAM, reason: 'the answer is too long' });
    }
    text += decoder.decode(piece.value, { stream: true });
  }
  return text + decoder.decode();
}
