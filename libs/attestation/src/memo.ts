import { sha256 } from '@usufruct/crypto';
import { toHex } from '@usufruct/kernel';

/**
 * The same function of bytes, which remembers its latest answers by the digest of what it was given: the same roots, CAs
 * and lists come with every appraisal. It holds at most `capacity` answers, and what was asked for longest ago goes
 * first. The answers are shared, so they must be immutable; the bytes are copied, so they may change.
 */
export function rememberLatest<T>(compute: (bytes: Uint8Array) => T, capacity: number): (bytes: Uint8Array) => T {
  const known = new Map<string, T>();
  return (bytes) => {
    const key = toHex(sha256(bytes));
    const found = known.get(key);
    const answer = found ?? compute(Uint8Array.from(bytes));
    known.delete(key);
    known.set(key, answer);
    const [oldest] = known.keys();
    if (known.size > capacity && oldest !== undefined) known.delete(oldest);
    return answer;
  };
}

/**
 * The same question about two immutable objects, answered once while both are in use. Meant for signatures between
 * certificates that `rememberLatest` keeps: the links above a leaf are the same in every appraisal. Only answers are
 * remembered: where there was none, because the engine threw, the same question is asked anew the next time.
 */
export function rememberPairs<A extends object, B extends object, T>(
  compute: (left: A, right: B) => Promise<T>,
): (left: A, right: B) => Promise<T> {
  const known = new WeakMap<A, WeakMap<B, Promise<T>>>();
  return (left, right) => {
    const row = known.get(left) ?? new WeakMap<B, Promise<T>>();
    known.set(left, row);
    const found = row.get(right);
    if (found !== undefined) return found;
    const answer = compute(left, right);
    row.set(right, answer);
    answer.catch(() => row.delete(right));
    return answer;
  };
}
