import type { ContributionId } from '@usufruct/kernel';
import type { Attribution } from '@usufruct/protocol';
import { termsOf } from '@usufruct/retrieval';
import { copyGroups } from '../guard/copies.js';
import { NEAR_DUPLICATE_SIMILARITY } from '../ingest/near-duplicates.js';
import { similarity } from '../ingest/sketch.js';
import type { Passage, PassageSource, ScoredPassage } from '../retrieve/corpus.js';
import {
  attributeByScore,
  attributeByShapley,
  scaledScore,
  type ContributionWeight,
  type Holder,
} from './attribute.js';

/** Below this part of a sentence's terms a passage does not support it. */
const LEAST_SUPPORT = 0.5;
/** At most this many contributions are cited for one sentence, and share it: a receipt names at most 64 uses. */
const MAX_HOLDERS_OF_SENTENCE = 16;

/** A sentence of the answer with what is cited for it. */
export interface WeighedSentence {
  readonly text: string;
  /** At least one; the very objects that were retrieved. */
  readonly passages: readonly Passage[];
  /** Everyone who is cited for it. */
  readonly sources: readonly PassageSource[];
  /** Everyone who says it, where more do than are cited. */
  readonly holders?: readonly PassageSource[];
}
export interface WeighOptions {
  /** `score` where nothing is said. */
  readonly attribution?: Attribution;
  /** Each contribution is its own person where nothing is said. */
  readonly ownerOf?: (contributionId: ContributionId) => string;
  /** Who is not paid: whoever asks about what is his own. */
  readonly unpaid?: string;
}

/** What each contribution weighs in an answer, by the method that was asked for. */
export function weigh(
  sentences: readonly WeighedSentence[],
  retrieved: readonly ScoredPassage[],
  { attribution = 'score', ownerOf = (id) => id, unpaid }: WeighOptions,
): ContributionWeight[] {
  const holdersOf = (sources: readonly PassageSource[]): Holder[] =>
    inTurns(sources.map(({ contributionId }) => ({ contributionId, owner: ownerOf(contributionId) })));
  const cited = citedPassages(sentences, retrieved);
  if (attribution === 'score') {
    return attributeByScore(
      cited.map(({ score, sources }) => ({ score, holdersBySentence: sources.map(holdersOf) })),
      unpaid,
    );
  }
  const worth = sentences.map((sentence) =>
    cited
      .filter(({ passage }) => sentence.passages.includes(passage))
      .reduce((sum, { score, sources }) => sum + partOf(score, sources.length), 0n),
  );
  const players = playersOf(sentences, retrieved).map(({ sources, support }) => ({
    holders: holdersOf(sources),
    support,
  }));
  return attributeByShapley(worth, players, unpaid);
}

/** What is cited is worth something, however many sentences share it: an answer that used nobody is free. */
function partOf(score: number, sentences: number): bigint {
  const part = scaledScore(score) / BigInt(sentences);
  return part > 0n ? part : 1n;
}

/** Each cited passage with, for each sentence that cites it, who is to share in it: copies of the passage, too. */
function citedPassages(sentences: readonly WeighedSentence[], retrieved: readonly ScoredPassage[]) {
  const least = Math.min(...retrieved.flatMap(({ lexicalScore }) => (lexicalScore > 0 ? [lexicalScore] : [])));
  return retrieved.flatMap(({ passage, lexicalScore }) => {
    // What was found by its meaning alone weighs as much as the least that shares a word with the question.
    const score = lexicalScore > 0 ? lexicalScore : Number.isFinite(least) ? least : 1;
    const citing = sentences.filter(({ passages }) => passages.includes(passage));
    if (citing.length === 0) return [];
    const copies = retrieved.filter((other) => areNearDuplicates(passage, other.passage));
    const also = copies.flatMap((other) => other.passage.sources);
    const sources = citing.map((sentence) =>
      eachOnce([
        ...(sentence.passages.length === 1 ? (sentence.holders ?? sentence.sources) : passage.sources),
        ...also,
      ]),
    );
    return [{ passage, score, sources }];
  });
}

const areNearDuplicates = (left: Passage, right: Passage): boolean => {
  const [one, other] = [left.sources[0]?.chunk.sketch, right.sources[0]?.chunk.sketch];
  return one !== undefined && other !== undefined && similarity(one, other) >= NEAR_DUPLICATE_SIMILARITY;
};

/** Every passage that supports a sentence, copies of one another as one. */
function playersOf(sentences: readonly WeighedSentence[], retrieved: readonly ScoredPassage[]) {
  const terms = sentences.map(({ text }) => [...new Set(termsOf(text))]);
  const supporting = retrieved
    .map(({ passage }) => {
      const own = new Set(termsOf(`${passage.headings.join('\n')}\n${passage.text}`));
      const support = sentences.map((sentence, i) =>
        sentence.passages.includes(passage) ? 1 : supportOf(terms[i]!, own),
      );
      return { sources: passage.sources, support };
    })
    .filter(({ support }) => support.some((value) => value > 0));
  const groups = copyGroups(supporting.map(({ sources }) => sources[0]!));
  return [...Map.groupBy(supporting, (_, i) => groups[i]!).values()].map((members) => ({
    sources: eachOnce(members.flatMap(({ sources }) => sources)),
    support: sentences.map((_, i) => Math.max(...members.map(({ support }) => support[i]!))),
  }));
}

function supportOf(terms: readonly string[], own: ReadonlySet<string>): number {
  const part = terms.filter((term) => own.has(term)).length / Math.max(1, terms.length);
  return part < LEAST_SUPPORT ? 0 : part;
}

/** One place of each contribution, the first. */
export function eachOnce(sources: readonly PassageSource[]): PassageSource[] {
  const first = new Map<ContributionId, PassageSource>();
  for (const source of sources) if (!first.has(source.contributionId)) first.set(source.contributionId, source);
  return [...first.values()];
}

/** All who hold a sentence, and as many of them as are cited. */
export const withCited = (holders: readonly PassageSource[]) => ({
  holders,
  sources: holders.slice(0, MAX_HOLDERS_OF_SENTENCE),
});

/** As many as there is room for: of each person the first, then of each the second, so that many files crowd nobody out. */
function inTurns(holders: readonly Holder[]): Holder[] {
  const turns = new Map<string, number>();
  const turnOf = holders.map(({ owner }) => {
    const turn = turns.get(owner) ?? 0;
    turns.set(owner, turn + 1);
    return turn;
  });
  return holders
    .map((holder, i) => ({ holder, turn: turnOf[i]! }))
    .sort((left, right) => left.turn - right.turn)
    .slice(0, MAX_HOLDERS_OF_SENTENCE)
    .map(({ holder }) => holder);
}
