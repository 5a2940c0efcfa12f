import { describe, expect, it } from '@jest/globals';
import { utf8, type ContributionId } from '@usufruct/kernel';
import { ingestDocument } from '../ingest/ingest-document.js';
import { Corpus, type CorpusDocument } from '../retrieve/corpus.js';
import { answerQuestion, NO_ANSWER } from './answer-question.js';

const id = (digit: string) => `0x${digit.repeat(64)}` as ContributionId;

const TEXTS = {
  'feeding.md': `# Winter feeding
Colonies need about 20 kg of stores to survive the winter in central Europe. Sugar syrup is fed in September at a ratio of three parts sugar to two parts water.
Fondant is placed directly above the cluster when stores run low in February.

# Varroa treatment
Oxalic acid is trickled over the bees in December, when there is no brood. A treatment at the wrong time harms the queen.`,
  'prices.csv': `Product,Region,Price (euro per kg)
Heather honey,Lueneburg,24.50
Rapeseed honey,Holstein,9.80
Beeswax,Bavaria,18.00`,
  'swarming.html': `<html><body><nav>Home</nav><h1>Swarming</h1><p>A colony swarms when the hive is crowded in May. The old queen leaves with half
of the workers.</p><p>Clipping the wings of the queen does not prevent swarming; it only delays it.</p></body></html>`,
  'pottery.txt': `Stoneware clay matures at 1280 degrees. The kiln is cooled for two days before it is opened.

Glazes that contain lead must not be used for tableware.`,
} as const;

const sketchKey = new Uint8Array(8);

async function corpusOf(texts: Readonly<Record<string, string>>): Promise<Corpus> {
  const documents: CorpusDocument[] = [];
  for (const [fileName, text] of Object.entries(texts)) {
    const document = await ingestDocument({ fileName, bytes: utf8(text) }, { sketchKey });
    documents.push({ contributionId: id('abcdef'[documents.length]!), fileName, document });
  }
  return new Corpus(documents);
}
const cited = async (corpus: Corpus, question: string) =>
  new Set((await answerQuestion(corpus, question, 8)).citations.map((citation) => citation.fileName));

describe('answers', () => {
  // [question, files that must be cited (and no others), words that must stand in the answer]
  const answered: [string, string[], RegExp][] = [
    ['How much stores does a colony need to survive winter?', ['feeding.md'], /20 kg/],
    ['When is oxalic acid used against varroa?', ['feeding.md'], /December/],
    ['What does heather honey cost per kg?', ['prices.csv'], /24\.50/],
    ['What is the price of beeswax?', ['prices.csv'], /18\.00/],
    ['Why do colonies swarm?', ['swarming.html'], /crowded/],
    ['Does clipping the wings of a queen prevent swarming?', ['swarming.html'], /delays/],
    ['At how many degrees does stoneware mature?', ['pottery.txt'], /1280/],
    ['Which glazes must not be used for tableware?', ['pottery.txt'], /lead/],
    [
      'What is the ratio of sugar to water in syrup, and what is the price of heather honey?',
      ['feeding.md', 'prices.csv'],
      /three parts[^]*24\.50|24\.50[^]*three parts/,
    ],
    [
      'When does a colony swarm, and when is fondant given?',
      ['feeding.md', 'swarming.html'],
      /May[^]*February|February[^]*May/,
    ],
  ];
  it.each(answered)('%s', async (question, files, words) => {
    const corpus = await corpusOf(TEXTS);
    const answer = await answerQuestion(corpus, question, 8);
    expect(answer.text).toMatch(words);
    expect(await cited(corpus, question)).toEqual(new Set(files));
  });

  it.each([
    'What is the capital of France?',
    'How many moons does Jupiter have?',
    'Who won the football championship last year?',
    'What is the salary of the queen of the Netherlands?',
    'What is the population, climate, currency and voting age of central Europe?',
    'the of and',
    '?!',
    '\u0000\u202E',
  ])('does not know: %j', async (question) => {
    const answer = await answerQuestion(await corpusOf(TEXTS), question, 8);
    expect(answer).toMatchObject({ text: NO_ANSWER, isKnown: false, sentences: [], citations: [], weights: [] });
  });

  it('says that it is extractive, cites every sentence by its words and place, and is the same each time', async () => {
    const corpus = await corpusOf(TEXTS);
    const question = 'What is the ratio of sugar to water in syrup, and what is the price of heather honey?';
    const answer = await answerQuestion(corpus, question, 8);
    expect(answer.generator).toBe('extractive');
    for (const { text, citations } of answer.sentences) {
      expect(citations.length).toBeGreaterThan(0);
      for (const i of citations) {
        expect(answer.citations[i]!.quote).toBe(text);
        const source = TEXTS[answer.citations[i]!.fileName as keyof typeof TEXTS];
        if (!answer.citations[i]!.fileName.endsWith('.csv')) expect(source.replace(/\s+/g, ' ')).toContain(text);
      }
    }
    expect(answer.citations.map(({ fileName, locator }) => [fileName, locator])).toEqual(
      expect.arrayContaining([
        ['feeding.md', 'Winter feeding'],
        ['prices.csv', 'rows 1–3'],
      ]),
    );
    expect(await answerQuestion(await corpusOf(TEXTS), question, 8)).toEqual(answer);
  });

  it('pays nobody who is not cited, and nobody whose documents were taken out', async () => {
    const corpus = await corpusOf(TEXTS);
    const question = 'Why do colonies swarm?';
    expect((await answerQuestion(corpus, question, 8)).weights.map((w) => w.contributionId)).toEqual([id('c')]);
    const without = await corpus.restrictedTo(new Set([id('a'), id('b'), id('d')]));
    const after = await answerQuestion(without, question, 8);
    expect(JSON.stringify(after.citations)).not.toContain('swarming.html');
    expect(after.weights.map((w) => w.contributionId)).not.toContain(id('c'));
  });

  it('shares the weight of text that two contributed, whole or inside a longer document', async () => {
    const question = 'At how many degrees does stoneware mature?';
    const alone = await answerQuestion(
      await corpusOf({ 'x.txt': TEXTS['pottery.txt'], 'y.txt': 'Bees.' }),
      question,
      8,
    );
    const twice = await answerQuestion(
      await corpusOf({ 'x.txt': TEXTS['pottery.txt'], 'y.txt': TEXTS['pottery.txt'] }),
      question,
      8,
    );
    expect(alone.weights).toHaveLength(1);
    expect(twice.weights.map((w) => w.contributionId)).toEqual([id('a'), id('b')]);
    const [first, second] = twice.weights.map((w) => w.weight);
    expect(first! - second! <= 1n && first! - second! >= 0n).toBe(true);
    const copied = await corpusOf({
      'x.txt': TEXTS['pottery.txt'],
      'y.txt': 'My notes. Stoneware clay matures at 1280 degrees. More.',
    });
    expect((await answerQuestion(copied, question, 8)).weights.map((w) => w.contributionId)).toEqual([
      id('a'),
      id('b'),
    ]);
  });

  it('never names more than 64 uses, however many hold the text', async () => {
    const document = await ingestDocument({ fileName: 'a.txt', bytes: utf8(TEXTS['pottery.txt']) }, { sketchKey });
    const corpus = new Corpus(
      Array.from({ length: 100 }, (_, i) => ({
        contributionId: `0x${i.toString(16).padStart(64, '0')}` as ContributionId,
        fileName: 'a.txt',
        document,
      })),
    );
    const { weights } = await answerQuestion(
      corpus,
      'At how many degrees does stoneware mature, and what about lead glazes?',
      8,
    );
    expect(weights.length).toBeGreaterThan(1);
    expect(weights.length).toBeLessThanOrEqual(64);
  });
});
