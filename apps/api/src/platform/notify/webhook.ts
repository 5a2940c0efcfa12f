import { createHmac } from 'node:crypto';
import { lookup as systemLookup } from 'node:dns';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { refuse, toBase64, type TimestampMs } from '@usufruct/kernel';
import { publicLookup, requireWebhookUrl } from './public-address.js';

export interface WebhookMessage {
  /** The same for each try, so that the receiver knows a repetition. */
  readonly id: string;
  readonly atMs: TimestampMs;
  readonly body: string;
}

/**
 * The headers of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`. The time is that of this try, so that a
 * receiver can refuse what somebody recorded and sends again.
 */
export function webhookHeaders(key: Uint8Array, { id, atMs, body }: WebhookMessage): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

/** How a key is told to its owner, once. */
export const webhookSecret = (key: Uint8Array): string => `whsec_${toBase64(key)}`;

export interface WebhookSenderOptions {
  /** Development only: plain http and private addresses are allowed. */
  readonly anywhere: boolean;
  readonly timeoutMs?: number;
  readonly lookup?: typeof systemLookup;
}

const TIMEOUT_MS = 10_000;

/** Posts one message. Resolves for a 2xx answer; refuses `UPSTREAM_UNAVAILABLE` for anything else, redirects included. */
export async function sendWebhook(
  target: string,
  key: Uint8Array,
  message: WebhookMessage,
  { anywhere, timeoutMs = TIMEOUT_MS, lookup = systemLookup }: WebhookSenderOptions,
): Promise<void> {
  const url = requireWebhookUrl(target, { anywhere });
  const payload = Buffer.from(message.body, 'utf8');
  const options: RequestOptions = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': payload.length,
      'user-agent': 'usufruct-webhooks',
      ...webhookHeaders(key, message),
    },
    // For the whole exchange: a receiver that trickles its answer must not hold a worker.
    signal: AbortSignal.timeout(timeoutMs),
    // A connection is never kept for a later message, when the name may mean another address.
    agent: false,
    ...(!anywhere && { lookup: publicLookup(lookup) }),
  };
  const status = await new Promise<number>((done, fail) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = send(url, options, (incoming) => {
      done(incoming.statusCode ?? 0);
      // Whatever it says beside the status is of no use, and may be endless.
      incoming.destroy();
    });
    outgoing.on('error', (cause) => fail(refuse('UPSTREAM_UNAVAILABLE', { upstream: 'webhook' }, cause)));
    outgoing.end(payload);
  });
  if (status < 200 || status > 299) {
    throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'webhook', status: String(status) });
  }
}
