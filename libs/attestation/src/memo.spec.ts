import { describe, expect, it } from '@jest/globals';
import { rememberLatest, rememberPairs } from './memo.js';

describe('rememberLatest', () => {
  const counted = (capacity: number) => {
    const calls: number[] = [];
    const remember = rememberLatest((bytes: Uint8Array) => {
      calls.push(bytes[0]!);
      return { first: bytes[0]! };
    }, capacity);
    return { calls, of: (value: number) => remember(Uint8Array.of(value)) };
  };

  it('computes the same bytes once, and drops what was asked for longest ago', () => {
    const { calls, of } = counted(2);
    expect([of(1), of(1), of(2), of(1), of(3), of(1), of(2)].map(({ first }) => first)).toEqual([1, 1, 2, 1, 3, 1, 2]);
    // 3 drops 2, which was asked for before the last 1; then 2 is computed again.
    expect(calls).toEqual([1, 2, 3, 2]);
  });

  it('goes by content, so bytes that change afterwards are other bytes', () => {
    const remember = rememberLatest((bytes: Uint8Array) => bytes, 4);
    const bytes = Uint8Array.of(1);
    const first = remember(bytes);
    bytes[0] = 2;
    expect(first).toEqual(Uint8Array.of(1));
    expect(remember(bytes)).toEqual(Uint8Array.of(2));
  });
});

describe('rememberPairs', () => {
  it('asks once for each pair of objects, in this order', async () => {
    let asked = 0;
    const sum = rememberPairs((left: { n: number }, right: { n: number }) => {
      asked += 1;
      return Promise.resolve(left.n * 10 + right.n);
    });
    const [one, two] = [{ n: 1 }, { n: 2 }];
    const answers = [sum(one, two), sum(one, two), sum(two, one), sum({ n: 1 }, two)];
    expect(await Promise.all(answers)).toEqual([12, 12, 21, 12]);
    expect(asked).toBe(3);
  });

  it('remembers answers, good and bad, and no exception: who asks again is answered', async () => {
    let asked = 0;
    const ask = rememberPairs(async (_left: object, _right: object) => {
      asked += 1;
      if (asked === 1) throw new Error('out of memory');
      return false;
    });
    const [one, two] = [{}, {}];
    // Two at once share the exception; neither is left with it.
    const both = await Promise.allSettled([ask(one, two), ask(one, two)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await ask(one, two)).toBe(false);
    expect(await ask(one, two)).toBe(false);
    expect(asked).toBe(2);
  });
});
