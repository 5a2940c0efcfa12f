import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { utf8, type ContributionId } from '@usufruct/kernel';
import { ingestDocument } from '../ingest/ingest-document.js';
import type { PassageSource } from '../retrieve/corpus.js';
import { distinctContributors, type Brought } from './contributors.js';
import { copyGroups } from './copies.js';

const by = (owner: string, ...groups: number[]): Brought[] => groups.map((group) => ({ owner, group }));

describe('distinct contributors', () => {
  it.each<[string, Brought[], number]>([
    ['nobody', [], 0],
    ['five files of one person', by('a', 1, 2, 3, 4, 5), 1],
    ['one text at five addresses', 'abcde'.split('').flatMap((owner) => by(owner, 1)), 1],
    ['two with a text of their own each', [...by('a', 1), ...by('b', 2)], 2],
    ['a copier with one text of his own', [...by('a', 1), ...by('b', 1, 2)], 2],
    ['three who share two texts', [...by('a', 1, 2), ...by('b', 1, 2), ...by('c', 1, 2)], 2],
    ['an order in which the first choice is wrong', [...by('a', 1, 2), ...by('b', 1)], 2],
  ])('%s', (_what, brought, expected) => expect(distinctContributors(brought)).toBe(expected));

  it('are as many as any assignment of texts to people reaches', () => {
    const one = fc.record({ owner: fc.constantFrom('a', 'b', 'c', 'd'), group: fc.integer({ min: 0, max: 3 }) });
    const most = (brought: readonly Brought[], owners: readonly string[], taken: ReadonlySet<number>): number => {
      const [owner, ...rest] = owners;
      if (owner === undefined) return 0;
      const with_ = brought
        .filter((b) => b.owner === owner && !taken.has(b.group))
        .map(({ group }) => 1 + most(brought, rest, new Set([...taken, group])));
      return Math.max(most(brought, rest, taken), ...with_);
    };
    fc.assert(
      fc.property(fc.array(one, { maxLength: 10 }), (brought) => {
        expect(distinctContributors(brought)).toBe(most(brought, ['a', 'b', 'c', 'd'], new Set()));
      }),
    );
  });
});

describe('copies', () => {
  const FACT = 'The bridge at Hoya carries forty tonnes.';
  const words = (seed: string, count: number): string =>
    Array.from({ length: count }, (_, i) => `${seed}${(i * 7919) % 997}`).join(' ');
  async function placesOf(...texts: string[]): Promise<PassageSource[]> {
    const all: PassageSource[] = [];
    for (const [i, text] of texts.entries()) {
      const document = await ingestDocument({ fileName: 'a.txt', bytes: utf8(text) }, { sketchKey: new Uint8Array(8) });
      const contributionId = `0x${String(i).repeat(64)}` as ContributionId;
      const chunk = document.chunks.find((one) => one.text.includes(FACT));
      if (chunk === undefined) throw new Error('not in one passage');
      all.push({ contributionId, fileName: 'a.txt', chunk, document });
    }
    return all;
  }

  it('are found wherever the copy is cut, and the same sentence elsewhere is none', async () => {
    const original = `${words('alpha', 90)}. ${FACT} ${words('beta', 90)}.`;
    const places = await placesOf(
      original,
      `${words('gamma', 150)}. ${original}`,
      `${words('delta', 90)}. ${FACT} ${words('epsilon', 90)}.`,
      original.toUpperCase().replace(FACT.toUpperCase(), FACT),
    );
    expect(copyGroups(places, FACT)).toEqual([0, 0, 2, 0]);
  });

  it('are taken for such where nothing stands around them', async () => {
    expect(copyGroups(await placesOf(FACT, `${FACT} Yes.`), FACT)).toEqual([0, 0]);
  });
});
