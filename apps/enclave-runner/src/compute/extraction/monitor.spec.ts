import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { keypairSigner } from '@usufruct/chain';
import { verify } from '@usufruct/crypto';
import {
  fromBase64,
  utf8,
  type Address,
  type ContributionId,
  type DatasetId,
  type JobId,
  type Logger,
} from '@usufruct/kernel';
import {
  decodeWalkNotice,
  NO_ANSWER_RULES,
  TAGS,
  type AnswerRules,
  type DatasetView,
  type JobView,
} from '@usufruct/protocol';
import { aDataset, aJob, FakeChain, seededRandom, TEST_NOW_MS, testChainInfo } from '@usufruct/testing';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateRunnerKeys } from '../../attest/runner-keys.js';
import { RunnerStore } from '../../receipt/store.js';
import { answerQuestion, Corpus, ingestDocument, type CorpusDocument, type SourceFilter } from '../rag/index.js';
import { forgetShown, guardFor } from './monitor.js';
import { looksLikeWalking, type Look } from './walking.js';

const id = <T extends string>(digit: string) => `0x${digit.repeat(64)}` as T;
const FACTS = [
  'Stoneware clay matures at 1280 degrees in the kiln.',
  'Heather honey costs 24 euros in Holstein.',
  'The canal lock opens at dawn every weekday.',
  'Oxalic acid is trickled over the bees in December.',
];
const ASKED = [
  'At how many degrees does stoneware mature?',
  'What does heather honey cost?',
  'When does the canal lock open?',
  'When is oxalic acid trickled?',
];
const wallet = keypairSigner(new Ed25519Keypair());
const chain = new FakeChain();
const clock = { nowMs: () => TEST_NOW_MS };
const keys = await generateRunnerKeys(seededRandom('runner'));

let directory: string;
let store: RunnerStore;
let corpus: Corpus;
let logged: [string, unknown][];
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'shown-'));
  store = RunnerStore.openIn(directory);
  logged = [];
  const documents: CorpusDocument[] = [];
  for (const [i, text] of FACTS.entries()) {
    const fileName = 'a.txt';
    const document = await ingestDocument({ fileName, bytes: utf8(text) }, { sketchKey: new Uint8Array(8) });
    documents.push({ contributionId: id<ContributionId>('abcd'[i]!), fileName, document });
  }
  corpus = new Corpus(documents);
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

const logger: Logger = {
  info: () => undefined,
  warn: (event, fields) => void logged.push([event, fields]),
  error: () => undefined,
};
const rulesOf = (rules: Partial<AnswerRules>): AnswerRules => ({ ...NO_ANSWER_RULES, ...rules });
const half = rulesOf({ maxReachBps: 5_000 });

async function ask(question: string, asker: string, answerRules: AnswerRules, of = corpus, filter?: SourceFilter) {
  const job: JobView = aJob({ id: id<JobId>('1'), requester: id<Address>(asker) });
  const dataset: DatasetView = aDataset({ id: id<DatasetId>('2'), answerRules });
  const about = { job, dataset, question, corpus: of, ownerOf: (one: string) => one };
  const guard = await guardFor({ wallet, store, logger, chain, keys, clock }, about);
  const answer = await answerQuestion(of, question, 8, {
    ...(filter && { filter }),
    ...(guard && { review: guard.review }),
  });
  guard?.requireSomething(answer.isKnown);
  return answer;
}

describe('what one asker is shown', () => {
  it('is no more than the dataset allows, over jobs and restarts, and what was shown stays open', async () => {
    expect((await ask(ASKED[0]!, 'a', half)).isKnown).toBe(true);
    store.close();
    store = RunnerStore.openIn(directory);
    expect((await ask(ASKED[1]!, 'a', half)).isKnown).toBe(true);
    await expect(ask(ASKED[2]!, 'a', half)).rejects.toMatchObject({ code: 'REACH_LIMIT' });
    expect((await ask(ASKED[0]!, 'a', half)).text).toContain('1280');
    expect((await ask(ASKED[2]!, 'b', half)).text).toContain('dawn');
  });

  it('is forgotten with a contribution that is retired', async () => {
    await ask(ASKED[0]!, 'a', half);
    await ask(ASKED[1]!, 'a', half);
    await forgetShown({ wallet, store }, id<ContributionId>('a'));
    expect((await ask(ASKED[2]!, 'a', half)).text).toContain('dawn');
  });

  it('is kept as hashes under a key: neither text nor ids are on disk, and nothing where no rule asks for it', async () => {
    await ask(ASKED[0]!, 'a', rulesOf({ maxQuoteChars: 200, maxReachBps: 5_000 }));
    const bytes = Buffer.concat(readdirSync(directory).map((name) => readFileSync(join(directory, name))));
    const ids = ['a', '1', '2'].flatMap((digit) => [id<string>(digit), id<string>(digit).slice(2)]);
    const raw = ['a', '2'].map((digit) => Buffer.from(digit.repeat(64), 'hex'));
    for (const secret of [...FACTS, 'Stoneware', 'a.txt', ...ids, ...raw]) expect(bytes.includes(secret)).toBe(false);
    store.close();
    rmSync(directory, { recursive: true });
    store = RunnerStore.openIn(directory);
    const empty = rulesOf({});
    await ask(ASKED[0]!, 'a', empty);
    await ask(ASKED[0]!, 'a', half);
    expect((await ask(ASKED[1]!, 'a', half)).isKnown).toBe(true);
  });

  it('is stitched together over answers: the rest of a sentence does not come with the next one', async () => {
    const rules = rulesOf({ maxQuoteChars: 30 });
    const first = await ask(ASKED[0]!, 'a', rules);
    expect(first.sentences[0]!.text).toBe('Stoneware clay matures at 1280…');
    expect((await ask(ASKED[0]!, 'a', rules)).text).toBe(first.text);
    expect(first.citations[0]!.quote).toBe('Stoneware clay matures at 1280…');
  });

  it('is stitched together from copies, too, of which a filter shows one after the other', async () => {
    const [first, second] = [
      'Colonies need 20 kg of stores in winter.',
      'Sugar syrup is fed in September to every hive.',
    ];
    const copies = await Promise.all(
      ['a.txt', 'a.md'].map(async (fileName, i): Promise<CorpusDocument> => {
        const file = { fileName, bytes: utf8(`${first} ${second}`) };
        const document = await ingestDocument(file, { sketchKey: new Uint8Array(8) });
        return { contributionId: id<ContributionId>('ab'[i]!), fileName, document };
      }),
    );
    const of = new Corpus(copies);
    const rules = rulesOf({ maxQuoteChars: 60 });
    const one = await ask('How much stores do colonies need?', 'a', rules, of, { formats: ['txt'] });
    expect(one.sentences[0]!.text).toBe(first);
    const other = await ask('When is sugar syrup fed to every hive?', 'a', rules, of, { formats: ['md'] });
    expect(other.text).not.toContain('September');
  });
});

describe('somebody who walks through a dataset', () => {
  const look = (i: number, change: Partial<Look> = {}): Look => ({
    shown: 4,
    fresh: 4,
    terms: new Set([`one${i}`, `two${i}`]),
    ...change,
  });
  const many = (change: (i: number) => Partial<Look>, n = 20): Look[] =>
    Array.from({ length: n }, (_, i) => look(i, change(i)));

  it.each<[string, Look[], number, boolean]>([
    ['walks', many(() => ({})), 0.2, true],
    ['has asked a few things only', many(() => ({}), 15), 0.2, false],
    ['has seen little of it', many(() => ({})), 0.05, false],
    ['comes back to what it has seen', many((i) => ({ fresh: i % 2 === 0 ? 4 : 0 })), 0.2, false],
    ['asks about one thing', many(() => ({ terms: new Set(['hive', 'winter']) })), 0.2, false],
  ])('%s', (_what, looks, covered, expected) => expect(looksLikeWalking(looks, covered)).toBe(expected));

  it('is named in the log, and in a signed notice for those whom it concerns', async () => {
    const words = 'abcdefghijklmnopqrstuvwxyz'.split('').map((letter) => `${letter}${letter}olith`);
    const documents = await Promise.all(
      words.map(async (word, i) => ({
        contributionId: `0x${i.toString(16).padStart(64, '0')}` as ContributionId,
        fileName: 'a.txt',
        document: await ingestDocument(
          { fileName: 'a.txt', bytes: utf8(`The ${word} stands on hill number ${i}.`) },
          { sketchKey: new Uint8Array(8) },
        ),
      })),
    );
    const hills = new Corpus(documents);
    for (const word of words.slice(0, 20)) await ask(`Where is ${word}?`, 'a', rulesOf({ maxReachBps: 9_000 }), hills);
    expect(logged[0]).toEqual(['extraction.walking', expect.objectContaining({ asker: id('a'), passages: 26 })]);
    expect(JSON.stringify(logged)).not.toContain('olith');

    const { daoId } = aJob({});
    // No answer waits for its notice: that of the last one takes the place of those before it.
    const isWhole = () =>
      store.walks.of(daoId).some(({ notice }) => decodeWalkNotice(fromBase64(notice))?.answers === 20);
    while (!isWhole()) await new Promise((resolve) => setTimeout(resolve, 5));
    const [signed, ...others] = store.walks.of(daoId);
    expect(others).toEqual([]);
    const message = fromBase64(signed!.notice);
    const { publicKey } = keys.signing;
    expect(decodeWalkNotice(message)).toEqual({
      chainId: testChainInfo().chainId,
      daoId,
      datasetId: id('2'),
      jobId: id('1'),
      asker: id('a'),
      answers: 20,
      covered: 20,
      passages: 26,
      runnerSigningKey: publicKey,
      noticedAtMs: TEST_NOW_MS,
    });
    const signature = fromBase64(signed!.signature);
    expect(await verify({ publicKey, domainTag: TAGS.walkNotice, message, signature })).toBe(true);
    expect(store.walks.of(id('9'))).toEqual([]);
  });
});
