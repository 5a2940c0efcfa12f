import { describe, expect, it } from '@jest/globals';
import { refuse, toBase64 } from '@usufruct/kernel';
import { aHolderSet } from '@usufruct/testing';
import { firstGood, locatedIn, type KnownHolder } from './holders.js';

const set = aHolderSet();
const at = (url: string, signingPublicKey: string): KnownHolder => ({
  url,
  identity: {
    chainId: 'local',
    signingPublicKey,
    sealingPublicKey: signingPublicKey,
    operator: set.members[0]!.operator,
    standIns: [],
  },
});
const [first, second] = set.members.map(({ signingPublicKey }) => signingPublicKey) as [string, string];
const wrong = (url: string) => refuse('UPSTREAM_INVALID', { upstream: url });
const answerFrom =
  (good: string) =>
  async (url: string): Promise<string> =>
    url === good ? url : Promise.reject(wrong(url));

describe('where members of a holder set are', () => {
  it('is wherever somebody says that it has the key, all of them', () => {
    const known = [at('liar', second), at('one', first), at('two', second), at('else', toBase64(new Uint8Array(32)))];
    expect(locatedIn(known, set)).toEqual([['one'], ['liar', 'two'], []]);
  });

  it.each([[['liar', 'two']], [['two', 'liar']], [['liar', 'liar too', 'two']]])(
    'and who answers well of %j is taken',
    async (urls) => {
      expect(await firstGood(urls, 'key holder 2', answerFrom('two'))).toBe('two');
    },
  );

  it('is nowhere when nobody says so, and what a member refuses goes before what a liar does wrong', async () => {
    await expect(firstGood([], 'key holder 2', answerFrom('two'))).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
    const ask = (url: string) => Promise.reject(url === 'two' ? refuse('TOMBSTONED') : wrong(url));
    await expect(firstGood(['liar', 'two'], 'key holder 2', ask)).rejects.toMatchObject({ code: 'TOMBSTONED' });
    await expect(firstGood(['liar'], 'key holder 2', ask)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
  });
});
