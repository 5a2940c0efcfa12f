import type { ServerResponse } from 'node:http';
import type { UsufructError } from '@usufruct/kernel';
import { signedRefusalOf } from './backend.js';

/** OpenAI's words for kinds of errors, by HTTP status. */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'insufficient_quota',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};
const typeOf = (status: number): string => TYPES[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error');

export interface OpenaiError {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
    readonly details: Readonly<Record<string, string>>;
    /** Signed by the runner: that it refused this, and charged nothing. Null where it did not come to that. */
    readonly signed_refusal: { readonly refusal: string; readonly signature: string } | null;
  };
}

/** A refusal in the form of OpenAI's errors, with our code, its remedy in the message, and the field as `param`. */
export const openaiError = (refusal: UsufructError): OpenaiError => {
  const { code, message, remedy, details } = refusal.toWire();
  const { http } = refusal.entry;
  const text = `${message}. ${remedy}`;
  const param = details['field'] ?? null;
  return {
    error: { message: text, type: typeOf(http), param, code, details, signed_refusal: signedRefusalOf(refusal) },
  };
};

/** OpenAI's clients repeat some statuses by themselves: here they are told, for what the catalogue knows better. */
export function sendOpenaiError(response: ServerResponse, refusal: UsufructError): void {
  if (response.destroyed || response.headersSent) return void response.destroy();
  const { http, retry } = refusal.entry;
  response
    .writeHead(http, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-should-retry': String(retry === 'later'),
      // What the client still sends is not read: the connection ends with the answer.
      ...(!response.req.complete && { connection: 'close' }),
      ...(http === 401 && { 'www-authenticate': 'Bearer' }),
    })
    .end(JSON.stringify(openaiError(refusal)));
}
