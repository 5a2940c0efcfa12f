import { describe, expect, it } from '@jest/globals';
import { utf8, type ContributionId } from '@usufruct/kernel';
import { ingestDocument } from '../ingest/ingest-document.js';
import { Corpus, type CorpusDocument, type Passage } from '../retrieve/corpus.js';
import { answerQuestion, type AnswerOptions } from './answer-question.js';
import { weigh } from './weigh.js';

const id = (digit: string) => `0x${digit.repeat(64)}` as ContributionId;
const FACT = 'Stoneware clay matures at 1280 degrees in the kiln.';
/** Twelve words of one place, so that a passage is more than its fact. */
const about = (word: string): string => Array.from({ length: 12 }, (_, i) => `${word}${'xyz'[i % 3]}${i}`).join(' ');
const QUESTION = 'At how many degrees does stoneware clay mature?';

/** Contributions a, b, c, … and what each weighs. */
async function weightsOf(texts: readonly string[], options: AnswerOptions = {}): Promise<Record<string, bigint>> {
  const documents: CorpusDocument[] = [];
  for (const text of texts) {
    const fileName = 'a.txt';
    const document = await ingestDocument({ fileName, bytes: utf8(text) }, { sketchKey: new Uint8Array(8) });
    documents.push({ contributionId: id('abcdefghijklmnopqrst'[documents.length]!), fileName, document });
  }
  const { weights } = await answerQuestion(new Corpus(documents), QUESTION, 8, options);
  return Object.fromEntries(weights.map(({ contributionId, weight }) => [contributionId[2], weight]));
}
/** Parts of the whole, in percent. */
function percent(weights: Record<string, bigint>): Record<string, number> {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0n);
  return Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => [name, Math.round(Number((weight * 10_000n) / total) / 100)]),
  );
}
const [one, other] = [`${about('kiln')}. ${FACT}`, `${about('clay')}. ${FACT}`];
/** The same but for a word. */
const copy = one.replace('kilnx0', 'kilnw0');

describe.each(['score', 'max-shapley'] as const)('weights by %s', (attribution) => {
  it('are shared by copies, also such as differ in a word', async () => {
    expect(percent(await weightsOf([one, copy], { attribution }))).toEqual({ a: 50, b: 50 });
    expect(percent(await weightsOf([one, one], { attribution }))).toEqual({ a: 50, b: 50 });
  });

  it('are shared by people: somebody’s five files weigh what one of another does', async () => {
    const mine = (contributionId: ContributionId): string => (contributionId === id('f') ? 'other' : 'me');
    const weights = percent(await weightsOf([one, one, one, one, one, one], { attribution, ownerOf: mine }));
    expect(weights['f']).toBe(50);
    expect(weights['a']).toBe(10);
  });

  it('are not taken by many files: whoever has the twentieth copy has his part', async () => {
    const many = Array.from({ length: 20 }, () => one);
    const ownerOf = (contributionId: ContributionId): string => (contributionId === id('t') ? 'other' : 'me');
    expect(percent(await weightsOf(many, { attribution, ownerOf }))['t']).toBe(50);
  });

  it('are never nothing for what is cited: of a word that stands in every passage of many, a score is next to nothing', async () => {
    const document = await ingestDocument({ fileName: 'a.txt', bytes: utf8(one) }, { sketchKey: new Uint8Array(8) });
    const { passages } = new Corpus([{ contributionId: id('a'), fileName: 'a.txt', document }]);
    const [passage] = passages as [Passage];
    const sentences = [FACT, `${about('kiln')}.`].map((text) => ({
      text,
      passages: [passage],
      sources: passage.sources,
    }));
    const retrieved = [{ passage, score: 1, lexicalScore: 1e-6 }];
    // Of nothing the chain takes no price: the answer would be free, and whoever it is from unpaid.
    expect(weigh(sentences, retrieved, { attribution }).map(({ contributionId }) => contributionId)).toEqual([id('a')]);
  });

  it('pay the asker nothing for what is his own', async () => {
    const owned = { attribution, ownerOf: (contributionId: ContributionId) => contributionId, unpaid: id('a') };
    expect(percent(await weightsOf([one, other], owned))).toEqual({ b: 100 });
    expect(await weightsOf([one], owned)).toEqual({});
  });
});

describe('the methods differ', () => {
  it('in who could have supported the answer as well: by Shapley value copies are one player', async () => {
    const texts = [one, copy, other];
    expect(percent(await weightsOf(texts, { attribution: 'max-shapley' }))).toEqual({ a: 25, b: 25, c: 50 });
    const byScore = percent(await weightsOf(texts, { attribution: 'score' }));
    expect(Object.values(byScore).toSorted((a, b) => a - b)).toEqual([33, 33, 33]);
  });
});
