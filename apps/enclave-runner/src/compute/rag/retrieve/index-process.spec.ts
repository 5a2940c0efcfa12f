import { describe, expect, it } from '@jest/globals';
import { DenseIndex, LsaIndex, termMatrix } from '@usufruct/retrieval';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { inPieces } from '../process/pieces.js';
import { linksOf } from './index-jobs.js';
import { IndexProcess, startIndexHost, type MadeIndex } from './index-process.js';

const TEXTS = Array.from({ length: 90 }, (_, i) => (i % 2 === 0 ? `grass herd ${i}` : `mast sail ${i}`));
const going = () => new AbortController().signal;

/** A process that says this whatever it is asked. */
function answering(reply: object): ChildProcess {
  const child = Object.assign(new EventEmitter(), { send: (_message: unknown, sent: () => void) => sent(), kill: () => true }); // prettier-ignore
  setImmediate(() => {
    for (const message of inPieces(reply)) child.emit('message', structuredClone(message));
  });
  return child as never;
}

describe('the process that makes an index', () => {
  it('gives what would be made here, and is gone', async () => {
    const started: ChildProcess[] = [];
    const maker = new IndexProcess(() => {
      started.push(startIndexHost());
      return started.at(-1)!;
    });
    const [here, lsa] = [termMatrix(TEXTS), LsaIndex.fit(termMatrix(TEXTS))];
    expect(await maker.make(TEXTS, going())).toEqual({ matrix: here, lsa });
    expect(await maker.read(TEXTS, going())).toEqual(here);
    expect(await maker.fit(here, going())).toEqual(lsa);
    const dense = DenseIndex.of('', TEXTS.map((_, i) => Float32Array.from({ length: 8 }, (__, j) => Math.sin(i * j + 1)))); // prettier-ignore
    expect((await maker.link(dense, going())).graph).toEqual(dense.linked().graph);
    expect(started).toHaveLength(4);
    expect(started.every(({ killed }) => killed)).toBe(true);
  });

  it('is not started for a few short texts, and is for few long ones', async () => {
    let started = 0;
    const maker = new IndexProcess(() => {
      started++;
      return startIndexHost();
    });
    await maker.read(TEXTS.slice(0, 64), going());
    expect(started).toBe(0);
    await maker.read(['word '.repeat(60_000)], going());
    expect(started).toBe(1);
  });

  it.each([
    ['of its heap', { heapMb: 16, memoryMb: 3_072 }],
    ['of all its memory', { heapMb: 1_024, memoryMb: 16 }],
  ])('ends at the limit %s, which ends nothing else, and the next one is made', async (_of, limits) => {
    // 32 MB: more than the heap may have, and long enough on the way that a look is taken at the rest.
    const large = Array.from({ length: 16 }, (_, i) => `${'many words and '.repeat(133_000)}${i}`);
    let isSmall = true;
    const maker = new IndexProcess(() => startIndexHost(isSmall ? limits : undefined));
    const [first, second] = [maker.read(large, going()), maker.read(TEXTS, going())];
    await expect(first.finally(() => (isSmall = false))).rejects.toThrow('the process of an index ended');
    expect(await second).toEqual(termMatrix(TEXTS));
  });

  it('is one at a time, and blocks nothing here; whoever waits for it can leave', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    const abort = new AbortController();
    const maker = new IndexProcess();
    const [first, second] = [maker.make(TEXTS, abort.signal), maker.make(TEXTS, abort.signal)];
    second.catch(() => undefined);
    expect((await first).matrix.size).toBe(90);
    abort.abort();
    await expect(second).rejects.toThrow(/abort/i);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  it.each<[string, (reply: MadeIndex) => object]>([
    ['of more passages', ({ matrix }) => ({ matrix: { ...matrix, size: 91 } })],
    ['in which a term has postings without an end', ({ matrix }) => ({ matrix: { ...matrix, starts: matrix.starts.with(matrix.terms.length, 2 ** 32 - 1) } })], // prettier-ignore
    ['without its words', ({ matrix }) => ({ matrix: { ...matrix, terms: undefined } })],
    ['with words of no index', ({ lsa }) => ({ lsa: { ...lsa, basis: { ...lsa!.basis, terms: lsa!.basis.terms.map((term) => term + 0.5) } } })], // prettier-ignore
    ['of nothing at all', () => ({ matrix: null, lsa: null })],
  ])('that answers an index %s is not believed', async (_what, forged) => {
    const here = { matrix: termMatrix(TEXTS), lsa: LsaIndex.fit(termMatrix(TEXTS)) };
    const parts = { matrix: here.matrix, lsa: { basis: here.lsa!.basis, passages: here.lsa!.passages } };
    expect(await new IndexProcess(() => answering(parts)).make(TEXTS, going())).toEqual(here);
    const asked = new IndexProcess(() => answering({ ...parts, ...forged(here) })).make(TEXTS, going());
    await expect(asked).rejects.toThrow('answered what is none');
  });

  it('that answers a graph whose links lead out of it is not believed', async () => {
    const dense = DenseIndex.of('', TEXTS.map((_, i) => Float32Array.from({ length: 8 }, (__, j) => Math.sin(i * j + 1)))); // prettier-ignore
    const graph = linksOf(dense.linked().graph!);
    const answered = (base: Uint32Array) =>
      new IndexProcess(() => answering({ graph: { ...graph, base } })).link(dense, going());
    expect((await answered(graph.base)).graph).toEqual(dense.linked().graph);
    // How many links the first has, and where its first leads.
    await expect(answered(graph.base.with(0, 2 ** 31))).rejects.toThrow('answered what is none');
    await expect(answered(graph.base.with(1, 90))).rejects.toThrow('answered what is none');
  });

  it('ends with who does not want it any more, also in the middle', async () => {
    const abort = new AbortController();
    const started: ChildProcess[] = [];
    const maker = new IndexProcess(() => {
      started.push(startIndexHost());
      return started.at(-1)!;
    });
    const asked = maker.make(TEXTS, abort.signal);
    setTimeout(() => abort.abort(), 20);
    await expect(asked).rejects.toThrow('aborted');
    expect(started[0]!.killed).toBe(true);
  });
});
