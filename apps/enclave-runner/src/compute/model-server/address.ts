import { isAbsolute } from 'node:path';
import { refuse } from '@usufruct/kernel';

/** Where a model server listens: beside the runner in the same guest, or nowhere that it would speak to. */
export type ModelServerAddress =
  | { readonly kind: 'unix'; readonly socketPath: string; readonly path: string }
  | { readonly kind: 'loopback'; readonly host: '127.0.0.1' | '::1'; readonly port: number; readonly path: string };

/**
 * What is asked holds text of contributors, so it must not leave the guest: `unix:/path/of/socket`, or `http://` at
 * 127.0.0.1 or [::1] with a port, and a path under which the server's API lies (`/v1`). Names are refused, `localhost`
 * among them: what a name stands for is decided elsewhere. So are credentials, queries and fragments.
 *
 * Refuses `CONFIG_INVALID` naming the setting, never its value. That the server which listens there is the one that was
 * measured is not proven by its address.
 */
export function readModelServerAddress(setting: string, text: string): ModelServerAddress {
  return unixAddress(text) ?? loopbackAddress(text) ?? refused(setting);
}

function unixAddress(text: string): ModelServerAddress | null {
  if (!text.startsWith('unix:')) return null;
  const socketPath = text.slice('unix:'.length);
  // The kernel takes 107 bytes and a zero; Linux reads a leading zero as a name that any process may take.
  const isSound = isAbsolute(socketPath) && !socketPath.includes('\0') && Buffer.byteLength(socketPath) <= 107;
  return isSound ? { kind: 'unix', socketPath, path: '/v1' } : null;
}

/** The text is matched as it is: a URL parser takes `0x7f.1` and `2130706433` for the same host. */
const LOOPBACK = /^http:\/\/(127\.0\.0\.1|\[::1\]):([1-9]\d{0,4})((?:\/[\w.~-]+)*)\/?$/;

function loopbackAddress(text: string): ModelServerAddress | null {
  const [, host, port, path] = LOOPBACK.exec(text) ?? [];
  const isDotted = path?.split('/').some((part) => part === '.' || part === '..');
  if (host === undefined || path === undefined || Number(port) > 65_535 || isDotted) return null;
  return {
    kind: 'loopback',
    host: host === '[::1]' ? '::1' : '127.0.0.1',
    port: Number(port),
    path: path === '' ? '/v1' : path,
  };
}

function refused(setting: string): never {
  throw refuse('CONFIG_INVALID', { setting, expected: 'unix:/socket, or http://127.0.0.1:port or http://[::1]:port' });
}
