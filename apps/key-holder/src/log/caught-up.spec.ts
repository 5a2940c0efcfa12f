import { beforeEach, describe, expect, it } from '@jest/globals';
import { leafHash, MerkleLog } from '@usufruct/crypto';
import { toHex32, toUsufructError, utf8, type Address, type Digest, type Logger } from '@usufruct/kernel';
import { FakeChain, idOf } from '@usufruct/testing';
import { CaughtUp } from './caught-up.js';

const OURS = idOf<Address>('operator');
const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const logOf = (...entries: string[]): MerkleLog => new MerkleLog(entries.map((entry) => leafHash(utf8(entry))));

let chain: FakeChain;
beforeEach(() => {
  chain = new FakeChain();
});
const anchor = (log: MerkleLog, by = OURS, set = 'set'): void => {
  const rootHash = toHex32<Digest>(log.root());
  const data = { type: 'TreeHeadAnchored' as const, holderSetId: idOf<never>(set), member: 0, treeSize: log.size };
  chain.putEvent({ ...data, rootHash }, by);
};
const over = (tree: MerkleLog): CaughtUp => new CaughtUp({ chain, operator: OURS, tree, logger: silent });
const said = (caughtUp: CaughtUp) =>
  caughtUp.require().then(
    () => 'ok',
    (error: unknown) => [toUsufructError(error).code, toUsufructError(error).details['reason']].join(': '),
  );

describe('a log is held against what its holder has anchored', () => {
  it('and is good with no anchor, with one of its own size, and with an older one', async () => {
    const log = logOf('a', 'b');
    const caughtUp = over(log);
    expect(await said(caughtUp)).toBe('ok');
    anchor(logOf('a'));
    anchor(log);
    expect(await said(caughtUp)).toBe('ok');
    log.append(leafHash(utf8('c')));
    expect(await said(caughtUp)).toBe('ok');
    expect(await said(over(log))).toBe('ok');
  });

  it.each([
    ['cut', logOf('a'), 'LOG_BEHIND: the chain has a longer log of this holder'],
    ['emptied', logOf(), 'LOG_BEHIND: the chain has a longer log of this holder'],
    ['changed', logOf('a', 'x'), 'LOG_BEHIND: the chain has another log of this holder'],
    ['forked and longer', logOf('a', 'x', 'c'), 'LOG_BEHIND: the chain has another log of this holder'],
  ])('and is refused when it was %s, also once it has grown again', async (_how, log, refusal) => {
    anchor(logOf('a', 'b'), OURS, 'a set that it has left');
    const caughtUp = over(log);
    expect(await said(caughtUp)).toBe(refusal);
    for (const entry of ['c', 'd', 'e']) log.append(leafHash(utf8(entry)));
    expect(await said(caughtUp)).toBe(refusal);
    expect(await said(over(log))).toMatch(/^LOG_BEHIND/);
  });

  it('also while it runs: another process with its keys has gone further', async () => {
    const caughtUp = over(logOf('a'));
    expect(await said(caughtUp)).toBe('ok');
    anchor(logOf('a', 'b'));
    expect(await said(caughtUp)).toMatch(/^LOG_BEHIND/);
  });

  it('and what others anchor stops nobody', async () => {
    anchor(logOf('a', 'b', 'c'), idOf<Address>('another operator'));
    expect(await said(over(logOf('a')))).toBe('ok');
  });

  it('reads each event once, and decides nothing without the chain', async () => {
    const log = logOf('a');
    anchor(log);
    const caughtUp = over(log);
    await caughtUp.require();
    const before = chain.reads;
    await caughtUp.require();
    expect(chain.reads - before).toBe(1);
    chain.isDown = true;
    expect(await said(caughtUp)).toMatch(/^CHAIN_UNAVAILABLE/);
    chain.isDown = false;
    anchor(logOf('x'));
    const asked = [said(caughtUp), said(caughtUp)];
    expect(await Promise.all(asked)).toEqual(Array(2).fill('LOG_BEHIND: the chain has another log of this holder'));
  });

  it('reads once more for all who ask while it reads, however many they are', async () => {
    const log = logOf('a', 'b');
    const caughtUp = over(log);
    const before = chain.reads;
    const first = said(caughtUp);
    await Promise.resolve();
    anchor(log);
    const others = Array.from({ length: 50 }, () => said(caughtUp));
    expect(new Set(await Promise.all([first, ...others]))).toEqual(new Set(['ok']));
    // Two readings, of which each may have a page with events before its empty one.
    expect(chain.reads - before).toBeLessThanOrEqual(4);
  });

  it('tells who asks while it reads what was anchored before they asked', async () => {
    const caughtUp = over(logOf('a'));
    const first = said(caughtUp);
    await Promise.resolve();
    anchor(logOf('a', 'b'));
    expect(await said(caughtUp)).toMatch(/^LOG_BEHIND/);
    await first;
  });
});
