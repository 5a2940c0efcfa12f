import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { pageOf, readAll } from './page.js';

const wire = (values: number[], endCursor: string | null) => ({
  pageInfo: { hasNextPage: endCursor !== null, endCursor },
  edges: values.map((node) => ({ node })),
});

describe('pages', () => {
  it('reads every page in order, each once', async () => {
    const pages = new Map([
      [null, wire([1, 2], 'b')],
      ['b', wire([3], 'c')],
      ['c', wire([], null)],
    ]);
    const asked: (string | null)[] = [];
    const all = await readAll(async (after) => {
      asked.push(after);
      return pageOf(z.number()).parse(pages.get(after));
    });
    expect(all).toEqual([1, 2, 3]);
    expect(asked).toEqual([null, 'b', 'c']);
  });

  it('stops at a thousand, also when the server never ends', async () => {
    let asked = 0;
    const all = await readAll(async () => {
      asked += 1;
      return pageOf(z.number()).parse(
        wire(
          Array.from({ length: 400 }, () => 0),
          'again',
        ),
      );
    });
    expect([asked, all.length]).toEqual([3, 1_200]);
  });

  it('refuses a node of another form', () => {
    expect(pageOf(z.number()).safeParse({ ...wire([], null), edges: [{ node: 'x' }] }).success).toBe(false);
  });
});
