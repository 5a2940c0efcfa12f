import { describe, expect, it } from '@jest/globals';
import { enough } from './enough.js';

const never = new Promise<string>(() => undefined);
const after = (ms: number, value: string): Promise<string> =>
  new Promise((resolve) => setTimeout(() => resolve(value), ms));
const two = { isEnough: (came: readonly string[]) => came.length >= 2, graceMs: 30 };

describe('enough', () => {
  it('gives what came in its place, and waits for nobody who never answers once there is enough', async () => {
    expect(await enough([never, after(1, 'b'), after(2, 'c')], two)).toEqual([null, 'b', 'c']);
  });

  it('gives the others some time, and no more', async () => {
    expect(await enough([after(10, 'a'), after(1, 'b'), after(1, 'c')], two)).toEqual(['a', 'b', 'c']);
    expect(await enough([after(500, 'a'), after(1, 'b'), after(1, 'c')], two)).toEqual([null, 'b', 'c']);
  });

  it('with too few it waits for all, and says what failed', async () => {
    const failed: unknown[] = [];
    const asked = [Promise.reject(new Error('away')), after(20, 'b'), Promise.reject(new Error('gone'))];
    expect(await enough(asked, two, (index, reason) => failed.push([index, String(reason)]))).toEqual([
      null,
      'b',
      null,
    ]);
    expect(failed).toEqual([
      [0, 'Error: away'],
      [2, 'Error: gone'],
    ]);
  });

  it('hears nothing of what fails later, and nothing is nothing', async () => {
    const late = after(40, '').then(() => Promise.reject(new Error('late')));
    const failed: unknown[] = [];
    await enough([late, after(0, 'b'), after(0, 'c')], { ...two, graceMs: 1 }, (index) => failed.push(index));
    await after(60, '');
    expect(failed).toEqual([]);
    expect(await enough([], two)).toEqual([]);
  });
});
