import type { ContributionId } from '@usufruct/kernel';
import { chunkDocument, type Chunk } from '../chunk/chunk.js';
import type { ParsedDocument } from '../parse/types.js';
import { Bm25Index } from './bm25.js';

export interface CorpusDocument {
  readonly contributionId: ContributionId;
  readonly fileName: string;
  readonly document: ParsedDocument;
}

/** Where a passage stands. The same passage may stand in several documents. */
export interface PassageSource {
  readonly contributionId: ContributionId;
  readonly fileName: string;
  readonly chunk: Chunk;
}
export interface Passage {
  readonly text: string;
  readonly headings: readonly string[];
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

  constructor(documents: readonly CorpusDocument[]) {
    this.#documents = documents;
    this.passages = passagesOf(documents);
    this.index = new Bm25Index(this.passages.map(({ headings, text }) => `${headings.join('\n')}\n${text}`));
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

  search(terms: Iterable<string>, limit: number): ScoredPassage[] {
    return this.index.search(terms, limit).map(({ passage, score }) => ({ passage: this.passages[passage]!, score }));
  }
}

function passagesOf(documents: readonly CorpusDocument[]): Passage[] {
  const byWords = new Map<string, { text: string; headings: readonly string[]; sources: PassageSource[] }>();
  for (const { contributionId, fileName, document } of documents) {
    for (const chunk of chunkDocument(document)) {
      const source = { contributionId, fileName, chunk };
      const words = wordsOnly(chunk.text);
      const same = byWords.get(words);
      if (same === undefined) byWords.set(words, { text: chunk.text, headings: chunk.headings, sources: [source] });
      else if (!same.sources.some((other) => other.contributionId === contributionId)) same.sources.push(source);
    }
  }
  return [...byWords.values()];
}

/** Two texts are the same when only case, spacing and punctuation differ. */
export const wordsOnly = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
