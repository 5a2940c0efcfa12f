import type { ContributionId } from '@usufruct/kernel';
import type { IngestedChunk, IngestedDocument } from '../ingest/ingest-document.js';
import { nearDuplicateGroups } from '../ingest/near-duplicates.js';
import { Bm25Index, type Hit } from './bm25.js';
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
  readonly score: number;
}

/**
 * The documents that may be used, cut into passages and indexed, in memory only. Passages with the same words are
 * indexed once and remember everyone who brought them, so that copying a document neither changes what is found nor
 * multiplies its pay.
 */
export class Corpus {
  readonly #documents: readonly CorpusDocument[];
  readonly passages: readonly Passage[];
  readonly index: Bm25Index;
  #nearDuplicates: Uint32Array | undefined;

  constructor(documents: readonly CorpusDocument[]) {
    this.#documents = documents;
    this.passages = passagesOf(documents);
    this.index = new Bm25Index(this.passages.map(({ headings, text }) => `${headings.join('\n')}\n${text}`));
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
   * The corpus of the allowed contributions alone. Built anew: after a revocation not even the word statistics of
   * what was revoked have a part in an answer.
   */
  restrictedTo(allowed: ReadonlySet<ContributionId>): Corpus {
    const documents = this.#documents.filter((document) => allowed.has(document.contributionId));
    return documents.length === this.#documents.length ? this : new Corpus(documents);
  }

  /** With a filter, passages without a source that passes are not scored, and the other sources are left out. */
  search(terms: Iterable<string>, limit: number, filter?: SourceFilter): ScoredPassage[] {
    if (filter === undefined) return this.#found(this.index.search(terms, limit));
    const passing = (passage: Passage) => passage.sources.filter((source) => passesFilter(filter, source));
    const hits = this.index.search(terms, limit, (passage) => passing(this.passages[passage]!).length > 0);
    return this.#found(hits).map(({ passage, score }) => ({
      passage: { ...passage, sources: passing(passage) },
      score,
    }));
  }

  #found(hits: readonly Hit[]): ScoredPassage[] {
    return hits.map(({ passage, score }) => ({ passage: this.passages[passage]!, score }));
  }
}

function passagesOf(documents: readonly CorpusDocument[]): Passage[] {
  const byWords = new Map<string, Passage & { readonly sources: PassageSource[] }>();
  for (const { contributionId, fileName, document } of documents) {
    for (const chunk of document.chunks) {
      const source = { contributionId, fileName, chunk, document };
      const words = wordsOnly(chunk.text);
      const same = byWords.get(words);
      if (same === undefined) byWords.set(words, passageOf(source));
      else if (!same.sources.some((other) => other.contributionId === contributionId)) same.sources.push(source);
    }
  }
  return [...byWords.values()];
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
