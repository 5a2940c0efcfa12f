import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { timingSafeEqual } from 'node:crypto';
import { refuse, toHex, utf8, type RandomSource } from '@usufruct/kernel';
import { sha256 } from '@usufruct/crypto';

const OWNER_ONLY = 0o600;
const OTHERS = 0o077;
const FORM = /^usufruct-[0-9a-f]{64}$/;

/**
 * The key of a local endpoint: made once, in a file that only its owner may read. Whoever can reach the port could spend
 * the user's money without it: other users of this computer, and web pages in the user's own browser.
 */
export function apiKeyFile(path: string, random: RandomSource): string {
  try {
    writeFileSync(path, `usufruct-${toHex(random(32))}\n`, { mode: OWNER_ONLY, flag: 'wx', flush: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
      throw refuse('CONFIG_INVALID', { setting: 'key file', path }, cause);
  }
  const key = readFileSync(path, 'utf8').trim();
  if (!FORM.test(key)) throw refuse('CONFIG_INVALID', { setting: 'key file', reason: 'not a key of ours', path });
  if ((statSync(path).mode & OTHERS) !== 0) {
    throw refuse('CONFIG_INVALID', { setting: 'key file', reason: 'others may read it; chmod 600', path });
  }
  return key;
}

/** Of digests, so that the time tells nothing about the key or its length. */
export const isSameKey = (a: string, b: string): boolean => timingSafeEqual(sha256(utf8(a)), sha256(utf8(b)));
