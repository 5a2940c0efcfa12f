import { describe, expect, it } from '@jest/globals';
import { refuse, toUsufructError, type ErrorCode } from '@usufruct/kernel';
import { zChainEvent, type ChainEvent, type ChainInfo } from '@usufruct/protocol';
import { followEvents, type FollowOptions } from './follow-events.js';
import type { ChainReader } from './port.js';

const id = `0x${'1'.repeat(64)}`;
const event = (seq: number): ChainEvent =>
  zChainEvent.parse({
    seq,
    transaction: id,
    sender: id,
    atMs: 1,
    data: { type: 'Minted', to: id, amountUnits: '1' },
  });

/** Answers each call with the next page: numbers of events, or the code of a refusal. */
function readerOf(pages: (number[] | ErrorCode)[], chainId = 'local:1'): ChainReader & { asked: number[] } {
  const asked: number[] = [];
  const reader = {
    asked,
    info: async () => ({ chainId }) as ChainInfo,
    events: async (after: number) => {
      asked.push(after);
      const page = pages.shift() ?? 'INTERNAL';
      if (typeof page === 'string') throw refuse(page);
      return page.map(event);
    },
  };
  return reader as Partial<ChainReader> as ChainReader & { asked: number[] };
}

async function follow(reader: ChainReader, until: number, options: Partial<FollowOptions> = {}) {
  const stop = new AbortController();
  const seen: number[] = [];
  const refused: string[] = [];
  const following = followEvents(reader, {
    after: 0,
    signal: stop.signal,
    retryMs: 1,
    onEvents: (events) => {
      seen.push(...events.map((e) => e.seq));
      if (seen.length >= until) stop.abort();
    },
    onUnavailable: (error) => void refused.push(error.code),
    ...options,
  });
  const code = await following.then(
    () => 'stopped',
    (error: unknown) => toUsufructError(error).code,
  );
  return { code, seen, refused };
}

describe('followEvents', () => {
  it('hands every event over once and in order, from where the caller stopped', async () => {
    const reader = readerOf([[4, 5], [], [6]]);
    expect(await follow(reader, 3, { after: 3 })).toMatchObject({ code: 'stopped', seen: [4, 5, 6] });
    expect(reader.asked).toEqual([3, 5, 5]);
  });

  it('goes on after the chain was away', async () => {
    const reader = readerOf([[1], 'CHAIN_UNAVAILABLE', 'CHAIN_UNAVAILABLE', [2]]);
    const outcome = await follow(reader, 2);
    expect(outcome).toEqual({ code: 'stopped', seen: [1, 2], refused: ['CHAIN_UNAVAILABLE', 'CHAIN_UNAVAILABLE'] });
  });

  it.each([
    ['a gap in a page', [[1, 3]], []],
    ['a gap between pages', [[1], [3]], [1]],
    ['a repeated event', [[1, 1]], []],
    ['a repeated page', [[1], [1]], [1]],
    ['a reorder', [[2, 1]], []],
  ])('refuses %s, and hands nothing of that page over', async (_name, pages, seen) => {
    expect(await follow(readerOf(pages), 99)).toMatchObject({ code: 'CHAIN_EVENTS_BROKEN', seen });
  });

  it('refuses another chain behind the same address, also when it comes back as another', async () => {
    expect(await follow(readerOf([[1]], 'local:2'), 1, { chainId: 'local:1' })).toMatchObject({
      code: 'CHAIN_EVENTS_BROKEN',
      seen: [],
    });
    const ids = ['local:1', 'local:2'];
    const reader = readerOf([[1], 'CHAIN_UNAVAILABLE', [2]]);
    reader.info = async () => ({ chainId: ids.shift() }) as ChainInfo;
    const outcome = await follow(reader, 9, { chainId: 'local:1' });
    expect(outcome).toMatchObject({ code: 'CHAIN_EVENTS_BROKEN', seen: [1] });
  });

  it('ends with what the handler throws, and does not hand the events over again', async () => {
    const reader = readerOf([[1], [1]]);
    const failing = { onEvents: () => Promise.reject(refuse('CHAIN_UNAVAILABLE')) };
    expect(await follow(reader, 9, failing)).toMatchObject({ code: 'CHAIN_UNAVAILABLE' });
    expect(reader.asked).toEqual([0]);
  });

  it('ends with any other refusal of the chain', async () => {
    expect(await follow(readerOf(['UPSTREAM_INVALID']), 1)).toMatchObject({ code: 'UPSTREAM_INVALID' });
  });

  it('does nothing for a signal that was aborted before', async () => {
    const reader = readerOf([[1]]);
    expect(await follow(reader, 1, { signal: AbortSignal.abort() })).toMatchObject({ code: 'stopped', seen: [] });
    expect(reader.asked).toEqual([]);
  });
});
