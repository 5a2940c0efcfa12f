import type { ContributionId } from '@usufruct/kernel';
import { Bm25Index, termsOf, type Plan } from '@usufruct/retrieval';
import type { IngestedChunk, IngestedDocument } from '../ingest/ingest-document.js';
import { nearDuplicateGroups } from '../ingest/near-duplicates.js';
import { passesFilter, type SourceFilter } from './source-filter.js';

/** What a corpus needs of a document. */
export type IndexedDocument = Pick<IngestedDocument, 'format' | 'metadata' | 'chunks'>;

export interface CorpusDocument {
  readonly contributionId: ContributionId;
  readonly fileName: string;
  readonly document: IndexedDocument;
}

/** Where a passage stands. The same passage may stand in several documents. */
export interface PassageSource {
  readonly contributionId: ContributionId;
  readonly fileName: string;
  readonly chunk: IngestedChunk;
  readonly document: IndexedDocument;
}
export interface Passage {
  readonly text: string;
  readonly headings: readonly string[];
  readonly language: string | undefined;
  /** At least one; at most one of each contribution, in the order of the documents. */
  readonly sources: readonly PassageSource[];
}
export interface ScoredPassage {
  readonly passage: Passage;
  /** What it ranks by; comparable within one search only. */
  readonly score: number;
  /** BM25; 0 where it has none of the question's words. */
  readonly lexicalScore: number;
}

/**
 * The documents that may be used, cut into passages and indexed, in memory only. Passages with the same words are
 * indexed once and remember everyone who brought them, so that copying a document neither changes what is found nor
 * multiplies its pay.
 */
export class Corpus {
  readonly #documents: readonly CorpusDocument[];
  readonly #numbers: ReadonlyMap<IngestedChunk, number>;
  readonly passages: readonly Passage[];
  readonly index: Bm25Index;
  #nearDuplicates: Uint32Array | undefined;

  constructor(documents: readonly CorpusDocument[], from?: Corpus) {
    const grouped = groupPassages(documents, from === undefined ? wordsOfChunk : (chunk) => from.#numbers.get(chunk)!);
    this.#documents = documents;
    this.#numbers = grouped.numbers;
    this.passages = grouped.passages;
    this.index =
      from === undefined ? Bm25Index.of(this.passages.map(indexedText)) : from.index.patched(from.#planFor(grouped));
  }

  /** For each passage the first one that says nearly the same: its own number where none before it does. */
  get nearDuplicates(): Uint32Array {
    this.#nearDuplicates ??= nearDuplicateGroups(this.passages.map(({ sources }) => sources[0]!.chunk.sketch));
    return this.#nearDuplicates;
  }

  get documentCount(): number {
    return this.#documents.length;
  }

  get contributionIds(): ReadonlySet<ContributionId> {
    return new Set(this.#documents.map((document) => document.contributionId));
  }

  /**
   * The corpus of the allowed contributions alone, the same as if it were built anew: after a revocation not even the
   * word statistics of what was revoked have a part in an answer.
   */
  restrictedTo(allowed: ReadonlySet<ContributionId>): Corpus {
    const documents = this.#documents.filter((document) => allowed.has(document.contributionId));
    return documents.length === this.#documents.length ? this : new Corpus(documents, this);
  }

  /** With a filter, passages without a source that passes are not scored, and the other sources are left out. */
  async search(question: string, limit: number, filter?: SourceFilter): Promise<ScoredPassage[]> {
    const passing = ({ sources }: Passage) =>
      filter === undefined ? sources : sources.filter((source) => passesFilter(filter, source));
    const accepts = filter && ((passage: number) => passing(this.passages[passage]!).length > 0);
    return this.index.search(termsOf(question), limit, accepts).map(({ passage: number, score }) => {
      const passage = this.passages[number]!;
      const sources = passing(passage);
      return { passage: sources === passage.sources ? passage : { ...passage, sources }, score, lexicalScore: score };
    });
  }

  /** A passage is read anew where what is indexed of it came from a source that it has no more. */
  #planFor({ passages }: Grouped): Plan {
    return passages.map((passage) => {
      const number = this.#numbers.get(passage.sources[0]!.chunk)!;
      return indexedText(this.passages[number]!) === indexedText(passage) ? number : indexedText(passage);
    });
  }
}

const indexedText = ({ headings, text }: Passage): string => `${headings.join('\n')}\n${text}`;
const wordsOfChunk = ({ text }: IngestedChunk): string => wordsOnly(text);

interface Grouped {
  readonly passages: readonly Passage[];
  /** Of the passage that each chunk is in. */
  readonly numbers: ReadonlyMap<IngestedChunk, number>;
}

/** Chunks with the same key are one passage. */
function groupPassages(
  documents: readonly CorpusDocument[],
  keyOf: (chunk: IngestedChunk) => string | number,
): Grouped {
  const byKey = new Map<string | number, number>();
  const numbers = new Map<IngestedChunk, number>();
  const passages: (Passage & { readonly sources: PassageSource[] })[] = [];
  for (const { contributionId, fileName, document } of documents) {
    for (const chunk of document.chunks) {
      const source = { contributionId, fileName, chunk, document };
      const key = keyOf(chunk);
      const number = byKey.get(key) ?? passages.length;
      byKey.set(key, number);
      numbers.set(chunk, number);
      const same = passages[number];
      if (same === undefined) passages.push(passageOf(source));
      else if (!same.sources.some((other) => other.contributionId === contributionId)) same.sources.push(source);
    }
  }
  return { passages, numbers };
}

const passageOf = (source: PassageSource): Passage & { readonly sources: PassageSource[] } => {
  const { text, headings, language } = source.chunk;
  return { text, headings, language, sources: [source] };
};

/** Two texts are the same when only case, spacing and punctuation differ. */
export const wordsOnly = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
