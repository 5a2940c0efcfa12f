import type { ContributionId } from '@usufruct/kernel';
import type { AnswerRules } from '@usufruct/protocol';
import type { PassageSource } from '../retrieve/corpus.js';
import { distinctContributors } from './contributors.js';
import { copyGroups } from './copies.js';
import { fold, type Folded } from './folded.js';
import { joined, longestRun, seedLetters, shifted, verbatimSpans, wholeOf, type Span } from './verbatim.js';

export const WITHHELD_REASONS = ['contributors', 'quote', 'reach'] as const;
export type WithheldReason = (typeof WITHHELD_REASONS)[number];

/** A sentence as it was found or written, with all places that are cited for it. */
export interface DraftSentence {
  readonly text: string;
  readonly sources: readonly PassageSource[];
  /** Everyone who says it, where more do than are cited. */
  readonly holders?: readonly PassageSource[];
  /** Where it is no sentence of a document: everyone who says all of it. What two say together neither of them says. */
  readonly sayers?: readonly PassageSource[];
}
/** What the asker has been shown before, by this runner. */
export interface ShownBefore {
  /** Of a contribution's document, ascending. */
  spansOf(contributionId: ContributionId): readonly Span[];
  /** Whether this passage was shown. */
  has(source: PassageSource): boolean;
  /** How many passages that are still in the index were. */
  readonly passages: number;
}
/** A place that the answer shows. */
export interface ShownNow {
  readonly source: PassageSource;
  /** Word for word, in the document's text: all that the asker has been shown of it, now and before. */
  readonly spans: readonly Span[];
}

export interface ReviewOptions {
  readonly rules: AnswerRules;
  /** All places that the answer may have been taken from, cited or not. */
  readonly seen: readonly PassageSource[];
  /** Where else in the dataset these words stand: by a filter an asker chooses which of several copies is seen. */
  readonly placesOf?: (text: string) => readonly PassageSource[];
  readonly ownerOf: (contributionId: ContributionId) => string;
  /** How many passages there are. */
  readonly passages: number;
  readonly before: ShownBefore;
  /** Passages are the same when their words are. */
  readonly wordsOf: (source: PassageSource) => string;
  /** Keeps what was shown, so that the next answer knows. */
  readonly record?: (shown: readonly ShownNow[]) => void;
}

export const hasRule = ({ maxQuoteChars, minContributors, maxReachBps }: AnswerRules): boolean =>
  maxQuoteChars > 0 || minContributors > 1 || limitsReach({ maxReachBps });
export const limitsReach = ({ maxReachBps }: Pick<AnswerRules, 'maxReachBps'>): boolean =>
  maxReachBps > 0 && maxReachBps < 10_000;

/**
 * Judges an answer sentence by sentence by the dataset's rules. What does not pass is withheld; of what is too long, as
 * much is left as may be shown, if that is enough to be of use.
 *
 * It compares letters. What a language model says in other words, translates or encodes is not noticed as a quotation;
 * who is behind an address, and whether two people have agreed to contribute the same fact, is not either.
 */
export class AnswerReview {
  readonly #options: ReviewOptions;
  readonly #withheld = new Map<WithheldReason, number>();
  readonly #shown = new Map<PassageSource, Span[]>();
  readonly #newPassages = new Set<string>();
  /** By text: many may hold the same. */
  readonly #folded = new Map<string, Folded>();
  /** Texts that took too long to compare with this sentence: nobody waits for that again with each of its beginnings. */
  readonly #tooLong = new Set<string>();

  constructor(options: ReviewOptions) {
    this.#options = options;
  }

  /** The sentence as it may be shown; null where it is withheld. Those before it count. */
  take<S extends DraftSentence>(sentence: S): S | null {
    const { rules } = this.#options;
    this.#tooLong.clear();
    if (rules.minContributors > 1 && this.#contributors(sentence) < rules.minContributors) {
      return this.#withhold('contributors');
    }
    const added = this.#passagesAddedBy(sentence);
    if (!this.#isWithinReach(added.length)) return this.#withhold('reach');
    const kept = rules.maxQuoteChars > 0 ? this.#shortened(sentence) : sentence;
    if (kept === null) return this.#withhold('quote');
    for (const passage of added) this.#newPassages.add(passage);
    for (const source of kept.sources) this.#note(source, []);
    if (rules.maxQuoteChars > 0) for (const [source, spans] of this.#spansIn(kept.text)) this.#note(source, spans);
    return kept;
  }

  /** Names say something of a document, too: no more of one than of its text, and none where nobody is to be known. */
  label(text: string): string {
    const { minContributors, maxQuoteChars } = this.#options.rules;
    if (minContributors > 1) return '';
    return maxQuoteChars > 0 && text.length > maxQuoteChars ? `${text.slice(0, maxQuoteChars - 1)}…` : text;
  }

  /** How many sentences were withheld, by why. */
  get withheld(): ReadonlyMap<WithheldReason, number> {
    return this.#withheld;
  }

  /** After the last sentence: what was shown is kept. Gives what the answer says about what it withholds, null for nothing. */
  finish(): string | null {
    this.#options.record?.(this.shown);
    return withheldNote(this.#withheld);
  }

  get shown(): ShownNow[] {
    const spans = new Map<ContributionId, Span[]>();
    const spansOf = ({ contributionId }: PassageSource): Span[] => {
      const known = spans.get(contributionId) ?? joined(this.#shownOf(contributionId));
      spans.set(contributionId, known);
      return known;
    };
    return [...this.#shown.keys()].map((source) => ({ source, spans: spansOf(source) }));
  }

  #withhold(reason: WithheldReason): null {
    this.#withheld.set(reason, (this.#withheld.get(reason) ?? 0) + 1);
    return null;
  }

  #note(source: PassageSource, spans: readonly Span[]): void {
    this.#shown.set(source, [...(this.#shown.get(source) ?? []), ...spans]);
  }

  #contributors({ text, sources, holders = sources, sayers = holders }: DraftSentence): number {
    const compared = sayers.slice(0, MOST_COMPARED);
    const groups = copyGroups(compared, text);
    return distinctContributors(
      compared.map(({ contributionId }, i) => ({
        owner: this.#options.ownerOf(contributionId),
        group: groups[i]!,
      })),
    );
  }

  #passagesAddedBy({ sources }: DraftSentence): string[] {
    const { rules, before, wordsOf } = this.#options;
    if (!limitsReach(rules)) return [];
    const added = sources.filter((source) => !before.has(source)).map(wordsOf);
    return [...new Set(added)].filter((passage) => !this.#newPassages.has(passage));
  }

  #isWithinReach(added: number): boolean {
    const { rules, before, passages } = this.#options;
    return added === 0 || before.passages + this.#newPassages.size + added <= reachLimit(passages, rules);
  }

  /** The longest beginning, cut between words, that makes no run too long. */
  #shortened<S extends DraftSentence>(sentence: S): S | null {
    const { maxQuoteChars } = this.#options.rules;
    const touched = this.#spansIn(sentence.text).map(([source]) => source);
    const fits = (text: string): boolean => this.#longestRun(text, touched) <= maxQuoteChars;
    if (fits(sentence.text)) return sentence;
    const ends = [...sentence.text.matchAll(/\s+/gu)].map(({ index }) => index);
    let [enough, tooMany] = [0, ends.length];
    while (enough < tooMany) {
      const middle = (enough + tooMany) >> 1;
      if (fits(`${sentence.text.slice(0, ends[middle])}…`)) enough = middle + 1;
      else tooMany = middle;
    }
    const kept = enough === 0 ? '' : sentence.text.slice(0, ends[enough - 1]);
    return kept.length < Math.min(LEAST_QUOTE_CHARS, maxQuoteChars) ? null : { ...sentence, text: `${kept}…` };
  }

  #longestRun(text: string, among: readonly PassageSource[]): number {
    const fresh = Map.groupBy(this.#spansIn(text, among), ([{ contributionId }]) => contributionId);
    return [...fresh].reduce((longest, [contributionId, found]) => {
      const spans = found.flatMap(([, own]) => own);
      return Math.max(longest, longestRun(spans, this.#shownOf(contributionId)));
    }, 0);
  }

  #shownOf(contributionId: ContributionId): Span[] {
    const now = [...this.#shown].flatMap(([source, spans]) => (source.contributionId === contributionId ? spans : []));
    return [...this.#options.before.spansOf(contributionId), ...now];
  }

  /** Where the text stands word for word. */
  #spansIn(text: string, among: readonly PassageSource[] = this.#placesOf(text)): [PassageSource, Span[]][] {
    const seed = seedLetters(this.#options.rules.maxQuoteChars);
    const shown = fold(text);
    const known = new Map<string, Span[][]>();
    return [...Map.groupBy(among, ({ contributionId }) => contributionId).values()].flatMap((places) => {
      const texts = places.map(({ chunk }) => chunk.text);
      const key = JSON.stringify(texts);
      const spans = known.get(key) ?? this.#compared(key, texts, shown, seed);
      known.set(key, spans);
      return places.flatMap((source, i): [PassageSource, Span[]][] =>
        spans[i]!.length === 0 ? [] : [[source, shifted(spans[i]!, source.chunk.startChar)]],
      );
    });
  }

  /** Where comparing takes too long, all of these texts is said to stand there. */
  #compared(key: string, texts: readonly string[], shown: Folded, seed: number): Span[][] {
    const sources = texts.map((one) => this.#foldedOf(one));
    const spans = this.#tooLong.has(key) ? null : verbatimSpans(sources, shown, seed);
    if (spans === null) this.#tooLong.add(key);
    return spans ?? sources.map(wholeOf);
  }

  #placesOf(text: string): PassageSource[] {
    const { seen, placesOf } = this.#options;
    return [...new Set([...seen, ...(placesOf?.(text) ?? [])])];
  }

  #foldedOf(text: string): Folded {
    const folded = this.#folded.get(text) ?? fold(text);
    this.#folded.set(text, folded);
    return folded;
  }
}

/** Each is compared with each. */
const MOST_COMPARED = 128;
/** Less of a sentence is of no use to anybody. */
const LEAST_QUOTE_CHARS = 20;

/** So many passages of so many may be shown; none where that is less than one. */
export const reachLimit = (passages: number, { maxReachBps }: Pick<AnswerRules, 'maxReachBps'>): number =>
  limitsReach({ maxReachBps }) ? Math.floor((passages * maxReachBps) / 10_000) : passages;

const REASON_WORDS: Record<WithheldReason, string> = {
  contributors: 'rest on fewer contributors than this dataset asks for',
  quote: 'would quote more of one contribution than this dataset allows',
  reach: 'would show more of this dataset than one asker may see',
};

/** For the answer: how much was withheld and why, nothing of what. Null where nothing was. */
export function withheldNote(withheld: ReadonlyMap<WithheldReason, number>): string | null {
  const parts = WITHHELD_REASONS.flatMap((reason) => {
    const count = withheld.get(reason);
    return count === undefined ? [] : [`${count} that ${REASON_WORDS[reason]}`];
  });
  return parts.length === 0 ? null : `Withheld: ${parts.join('; ')}.`;
}
