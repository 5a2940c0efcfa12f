import type { IncomingMessage } from 'node:http';
import { refuse } from '@usufruct/kernel';
import { isSameKey } from './openai/api-key-file.js';

export interface LocalEndpoint {
  /** Where it listens. */
  readonly host: string;
  /** Null: whoever reaches the port may spend. */
  readonly apiKey: string | null;
}

/**
 * A page in the user's browser can reach a port of this computer, under a name of its own even (DNS rebinding): neither
 * has the key or this host. Refuses `FORBIDDEN`, `UNAUTHENTICATED`.
 */
export function admitLocal({ headers }: IncomingMessage, { host, apiKey }: LocalEndpoint): void {
  if (headers.origin !== undefined) throw refuse('FORBIDDEN', { field: 'origin' });
  if (isLoopback(host) && !isLoopback(hostOf(headers.host ?? ''))) throw refuse('FORBIDDEN', { field: 'host' });
  if (apiKey === null) return;
  const [, given] = /^Bearer (\S{1,256})$/i.exec(headers.authorization ?? '') ?? [];
  if (given === undefined || !isSameKey(given, apiKey)) throw refuse('UNAUTHENTICATED', { field: 'authorization' });
}

/** What passes an endpoint is in the clear. Refuses `INVALID_ARGUMENT` for an address elsewhere that is not asked for. */
export function requireLocal(host: string, { isElsewhereAllowed }: { readonly isElsewhereAllowed: boolean }): void {
  if (isLoopback(host) || isElsewhereAllowed) return;
  throw refuse('INVALID_ARGUMENT', { field: 'host', expected: 'a loopback address, or --allow-remote and a key' });
}

const hostOf = (header: string): string => header.replace(/:\d{1,5}$/, '').replace(/^\[(.*)\]$/, '$1');
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
