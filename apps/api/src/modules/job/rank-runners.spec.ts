import { describe, expect, it } from '@jest/globals';
import type { DatasetId, JobId } from '@usufruct/kernel';
import type { RunnerLoad } from '@usufruct/protocol';
import { idOf } from '@usufruct/testing';
import fc from 'fast-check';
import { rankRunners, type KnownRunner } from './rank-runners.js';

const datasetId = idOf<DatasetId>('dataset');
/** Its first four bytes are 0: the order begins with the first runner. */
const jobId = `0x${'0'.repeat(64)}` as JobId;
const load = (changes: Partial<RunnerLoad> = {}): RunnerLoad => ({
  sessions: 1,
  sessionsAtMost: 16,
  questionsUnderWay: 0,
  datasets: [],
  ...changes,
});
const runner = (url: string, changes: Partial<KnownRunner> = {}): KnownRunner => ({
  url,
  load: load(),
  isDown: false,
  ...changes,
});

describe('the order in which runners are asked', () => {
  it.each<[string, KnownRunner[], string | null, string[]]>([
    [
      'the one with the session first, however busy',
      [runner('a'), runner('b', { load: load({ questionsUnderWay: 99 }) })],
      'b',
      ['b', 'a'],
    ],
    [
      'one that did not answer last, even with the session',
      [runner('a'), runner('b', { isDown: true })],
      'b',
      ['a', 'b'],
    ],
    [
      'one with the index before one that is less busy',
      [runner('a'), runner('b', { load: load({ questionsUnderWay: 9, datasets: [datasetId] }) })],
      null,
      ['b', 'a'],
    ],
    [
      'one with the index after one that is idle, where it has far more to do',
      [runner('a', { load: load({ questionsUnderWay: 40, datasets: [datasetId] }) }), runner('b')],
      null,
      ['b', 'a'],
    ],
    [
      'one without room after one that has some',
      [
        runner('a', { load: load({ sessions: 16, datasets: [datasetId] }) }),
        runner('b', { load: load({ questionsUnderWay: 50 }) }),
      ],
      null,
      ['b', 'a'],
    ],
    [
      'the least busy first',
      [runner('a', { load: load({ questionsUnderWay: 3 }) }), runner('b', { load: load({ questionsUnderWay: 2 }) })],
      null,
      ['b', 'a'],
    ],
    [
      'one that says nothing after one that says something',
      [runner('a', { load: null }), runner('b', { load: load({ questionsUnderWay: 50 }) })],
      null,
      ['b', 'a'],
    ],
    ['as they are where nothing tells them apart', [runner('a'), runner('b'), runner('c')], null, ['a', 'b', 'c']],
  ])('%s', (_what, runners, current, order) => {
    expect(rankRunners(runners, { jobId, datasetId, current })).toEqual(order);
  });

  it('spreads jobs where nothing tells the runners apart', () => {
    const runners = ['a', 'b', 'c'].map((url) => runner(url));
    const first = (start: number): string =>
      rankRunners(runners, { jobId: `0x0000000${start}${'0'.repeat(56)}` as JobId, datasetId, current: null })[0]!;
    expect([0, 1, 2, 3].map(first)).toEqual(['a', 'b', 'c', 'a']);
  });

  it('leaves nobody out, whatever a runner says of itself', () => {
    const anyLoad = fc.option(
      fc.record({
        sessions: fc.nat(),
        sessionsAtMost: fc.nat(),
        questionsUnderWay: fc.nat(),
        datasets: fc.array(fc.constantFrom(datasetId, idOf<DatasetId>('other'))),
      }),
    );
    const any = fc.array(fc.record({ load: anyLoad, isDown: fc.boolean() }), { maxLength: 6 });
    fc.assert(
      fc.property(any, fc.nat(6), (said, current) => {
        const runners = said.map((one, i): KnownRunner => ({ url: `runner-${i}`, ...one }));
        const ranked = rankRunners(runners, { jobId, datasetId, current: `runner-${current}` });
        expect(ranked.toSorted()).toEqual(runners.map(({ url }) => url).toSorted());
      }),
    );
  });
});
