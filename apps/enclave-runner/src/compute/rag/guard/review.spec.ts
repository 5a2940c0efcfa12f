import { describe, expect, it } from '@jest/globals';
import { utf8, type ContributionId } from '@usufruct/kernel';
import { NO_ANSWER_RULES, type AnswerRules } from '@usufruct/protocol';
import { ingestDocument } from '../ingest/ingest-document.js';
import { wordsOnly, type PassageSource } from '../retrieve/corpus.js';
import { AnswerReview, hasRule, reachLimit, type ReviewOptions, type ShownNow } from './review.js';

const TEXT =
  'Colonies need about 20 kg of stores to survive the winter. Sugar syrup is fed in September to every hive. Fondant is placed above the cluster in February.';
const [FIRST, SECOND, THIRD] = TEXT.split(/(?<=\.) /) as [string, string, string];

async function placeOf(text: string, digit = 'a', fileName = 'a.txt'): Promise<PassageSource> {
  const document = await ingestDocument({ fileName, bytes: utf8(text) }, { sketchKey: new Uint8Array(8) });
  return {
    contributionId: `0x${digit.repeat(64)}` as ContributionId,
    fileName,
    chunk: document.chunks[0]!,
    document,
  };
}

/** Reviews of one asker, one after the other: what one shows, the next one knows. */
function asker(rules: Partial<AnswerRules>, seen: readonly PassageSource[], change: Partial<ReviewOptions> = {}) {
  let known: readonly ShownNow[] = [];
  return () =>
    new AnswerReview({
      rules: { ...NO_ANSWER_RULES, ...rules },
      seen,
      ownerOf: (id) => id,
      passages: 10,
      wordsOf: ({ chunk }) => wordsOnly(chunk.text),
      before: {
        get passages() {
          return new Set(known.map(({ source }) => wordsOnly(source.chunk.text))).size;
        },
        has: (source) => known.some((one) => one.source === source),
        spansOf: (id) => known.filter(({ source }) => source.contributionId === id).flatMap(({ spans }) => spans),
      },
      record: (now) => (known = [...known, ...now]),
      ...change,
    });
}

describe('a rule for answers', () => {
  it.each<[Partial<AnswerRules>, boolean]>([
    [{}, false],
    [{ minContributors: 1, maxReachBps: 10_000 }, false],
    [{ minContributors: 2 }, true],
    [{ maxQuoteChars: 1 }, true],
    [{ maxReachBps: 9_999 }, true],
  ])('%j', (rules, expected) => expect(hasRule({ ...NO_ANSWER_RULES, ...rules })).toBe(expected));
});

describe('the longest quotation', () => {
  it('is taken to be all of what takes too long to compare, for that sentence and no other', async () => {
    const [again, place] = [await placeOf('buzz '.repeat(180), 'b'), await placeOf(TEXT)];
    const review = asker({ maxQuoteChars: 100 }, [again, place])();
    expect(review.take({ text: 'buzz hum '.repeat(180), sources: [place] })).toBeNull();
    expect(review.take({ text: FIRST, sources: [place] })?.text).toBe(FIRST);
  });

  it('leaves of a sentence what fits, and counts the one after it in the document to the same run', async () => {
    const place = await placeOf(TEXT);
    const review = asker({ maxQuoteChars: 100 }, [place])();
    expect(review.take({ text: FIRST, sources: [place] })?.text).toBe(FIRST);
    // FIRST has 58 characters and a space after it: 41 are left.
    const second = review.take({ text: SECOND, sources: [place] })!.text;
    expect(second).toBe('Sugar syrup is fed in September to every…');
    // One word lies between that and the third: it would be the same run.
    expect(review.take({ text: THIRD, sources: [place] })).toBeNull();
    expect(review.take({ text: `${FIRST} ${SECOND}`, sources: [place] })?.text).toBe(`${FIRST} ${second}`);
    expect(review.withheld).toEqual(new Map([['quote', 1]]));
  });

  it('is not got around by asking again: what was shown before counts to the run', async () => {
    const place = await placeOf(TEXT);
    const next = asker({ maxQuoteChars: 60 }, [place]);
    const first = next();
    expect(first.take({ text: FIRST, sources: [place] })?.text).toBe(FIRST);
    first.finish();
    const second = next();
    expect(second.take({ text: SECOND.toUpperCase(), sources: [place] })).toBeNull();
    expect(second.take({ text: FIRST, sources: [place] })?.text).toBe(FIRST);
    expect(second.finish()).toBe('Withheld: 1 that would quote more of one contribution than this dataset allows.');
    // Somebody else may see the second, and not the first then.
    const other = asker({ maxQuoteChars: 60 }, [place])();
    expect(other.take({ text: SECOND, sources: [place] })?.text).toBe(SECOND);
    // A word would be left between them, and makes no difference; more than that is cut off.
    expect(other.take({ text: FIRST, sources: [place] })?.text).toBe('Colonies need about 20 kg of stores to…');
  });

  it('is not got around by words between those of the document', async () => {
    const place = await placeOf(TEXT);
    const text = `${FIRST} ${SECOND}`.replaceAll(' ', ' zebra ');
    const review = asker({ maxQuoteChars: 60 }, [place])();
    const kept = review.take({ text, sources: [place] })!.text;
    expect(kept.replaceAll(' zebra', '')).toMatch(/^Colonies need about 20 kg of stores to survive/);
    expect(kept).not.toContain('Sugar');
    expect(review.shown[0]!.spans).toHaveLength(1);
    // Three words of a document in a row say nothing yet.
    const second = review.take({ text: SECOND.replaceAll(' ', ' zebra '), sources: [place] })!.text;
    expect(second).toBe('Sugar zebra syrup zebra is zebra…');
  });

  it('finds what is quoted from a place that is not cited, and in a text that somebody wrote around it', async () => {
    const [cited, quoted] = [await placeOf('Bees sleep in winter.', 'a'), await placeOf(TEXT, 'b')];
    const review = asker({ maxQuoteChars: 60 }, [cited, quoted])();
    const text = `It is known: ${SECOND} ${THIRD} So it is.`;
    // 46 characters, a space, and 10 more.
    expect(review.take({ text, sources: [cited] })?.text).toBe(`It is known: ${SECOND} Fondant is…`);
  });

  it('goes on from one passage to the next, and not from the beginning of one to that of another', async () => {
    const sentences = Array.from({ length: 40 }, (_, i) => `Number ${i} of the list is about item${i} and its colour.`);
    const whole = await placeOf(sentences.join(' '));
    const [here, next] = whole.document.chunks.map((chunk): PassageSource => ({ ...whole, chunk })) as [
      PassageSource,
      PassageSource,
    ];
    const inHere = sentences.filter((text) => here.chunk.text.includes(text));
    const [start, last, after] = [inHere[0]!, inHere.at(-1)!, sentences[inHere.length]!];
    expect(next.chunk.text.startsWith(after)).toBe(true);
    const review = () => asker({ maxQuoteChars: last.length + 10 }, [here, next])();
    const touching = review();
    expect(touching.take({ text: last, sources: [here] })?.text).toBe(last);
    expect(touching.take({ text: after, sources: [next] })).toBeNull();
    const apart = review();
    expect(apart.take({ text: start, sources: [here] })?.text).toBe(start);
    expect(apart.take({ text: after, sources: [next] })?.text).toBe(after);
  });

  it('holds for names, too', async () => {
    const place = await placeOf(TEXT);
    const review = asker({ maxQuoteChars: 10 }, [place])();
    expect(review.label('annual-report-of-the-secret-society.txt')).toBe('annual-re…');
    expect(review.label('a.txt')).toBe('a.txt');
  });
});

describe('the fewest contributors', () => {
  const around = (word: string): string => Array.from({ length: 60 }, (_, i) => `${word}${i}`).join(' ');
  const fact = 'The bridge at Hoya carries forty tonnes.';
  const saying = (word: string): string => `${around(word)}. ${fact} ${around(`${word}x`)}.`;

  it('have to say a sentence independently of one another; copies and files of one person do not count', async () => {
    const places = await Promise.all([
      placeOf(saying('one'), 'a'),
      placeOf(saying('two'), 'b'),
      placeOf(saying('one'), 'c'),
    ]);
    const [one, two, copy] = places as [PassageSource, PassageSource, PassageSource];
    const taken = (sources: PassageSource[], change: Partial<ReviewOptions> = {}) =>
      asker({ minContributors: 2 }, places, change)().take({ text: fact, sources });
    expect(taken([one, two])).not.toBeNull();
    expect(taken([one, two, copy])).not.toBeNull();
    expect(taken([one])).toBeNull();
    expect(taken([one, copy])).toBeNull();
    expect(taken([one, two], { ownerOf: () => 'the same person' })).toBeNull();
  });

  it('are all that there are, also such as are not cited', async () => {
    const places = await Promise.all([...'abcde'].map((name) => placeOf(saying(`word${name}`), name)));
    const sentence = { text: fact, sources: places.slice(0, 2), holders: places };
    expect(asker({ minContributors: 5 }, places)().take(sentence)).not.toBeNull();
    expect(asker({ minContributors: 6 }, places)().take(sentence)).toBeNull();
  });

  it('are told as a reason, and neither the sentence nor the name of a file', async () => {
    const place = await placeOf(saying('one'), 'a');
    const review = asker({ minContributors: 3 }, [place])();
    review.take({ text: fact, sources: [place] });
    expect(review.finish()).toBe('Withheld: 1 that rest on fewer contributors than this dataset asks for.');
    expect(review.shown).toEqual([]);
    expect(review.label('patient-17.txt')).toBe('');
  });
});

describe('the reach of one asker', () => {
  it('ends where so many passages were shown; those may be shown again, and copies count once', async () => {
    const places = await Promise.all(
      ['Red paint.', 'Blue glass.', 'Green wax.', 'Red paint!'].map((text, i) => placeOf(text, 'abcd'[i])),
    );
    const [red, blue, green, again] = places as [PassageSource, PassageSource, PassageSource, PassageSource];
    const next = asker({ maxReachBps: 2_000 }, places);
    const first = next();
    expect(first.take({ text: 'Red paint.', sources: [red, again] })).not.toBeNull();
    first.finish();
    const second = next();
    expect(second.take({ text: 'Blue glass.', sources: [blue] })).not.toBeNull();
    expect(second.take({ text: 'Green wax.', sources: [green] })).toBeNull();
    expect(second.take({ text: 'Red paint.', sources: [red, again] })).not.toBeNull();
    expect(second.finish()).toBe('Withheld: 1 that would show more of this dataset than one asker may see.');
  });

  it.each([
    [10, 0, 10],
    [10, 10_000, 10],
    [10, 2_000, 2],
    [10, 2_999, 2],
    [9, 1_000, 0],
  ])('of %d passages at %d basis points is %d', (passages, maxReachBps, expected) =>
    expect(reachLimit(passages, { maxReachBps })).toBe(expected),
  );
});
