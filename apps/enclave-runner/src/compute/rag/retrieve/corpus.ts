import type { ContributionId } from '@usufruct/kernel';
import {
  decodeIndex,
  encodeIndex,
  RetrievalIndex,
  termsOf,
  type Bm25Index,
  type FusionWeights,
} from '@usufruct/retrieval';
import type { IngestedChunk, IngestedDocument } from '../ingest/ingest-document.js';
import { nearDuplicateGroups } from '../ingest/near-duplicates.js';
import type { IndexMaker } from './index-thread.js';
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

/** What a corpus is indexed by beyond BM25, and how much each kind of search counts. */
export interface Retrieval {
  readonly maker: IndexMaker;
  readonly weights?: FusionWeights;
}

/** An index that was kept, and the documents that it is of, in the order that they had. */
export interface StoredIndex {
  readonly documents: readonly CorpusDocument[];
  /** `Corpus.indexBytes` */
  readonly bytes: Uint8Array;
}

/**
 * The documents that may be used, cut into passages and indexed, in memory only. Passages with the same words are
 * indexed once and remember everyone who brought them, so that copying a document neither changes what is found nor
 * multiplies its pay.
 *
 * A corpus that was made by its constructor searches by BM25 alone; one that was opened, by everything it has.
 */
export class Corpus {
  readonly #documents: readonly CorpusDocument[];
  readonly #numbers: ReadonlyMap<IngestedChunk, number>;
  readonly passages: readonly Passage[];
  #index: RetrievalIndex;
  #retrieval: Retrieval | null = null;
  #fitting: { readonly abort: AbortController; readonly done: Promise<void> } | null = null;
  #nearDuplicates: Uint32Array | undefined;

  constructor(documents: readonly CorpusDocument[]);
  /** Throws `RangeError` where the index is of another number of passages. */
  constructor(documents: readonly CorpusDocument[], grouped: Grouped, index: RetrievalIndex);
  constructor(
    documents: readonly CorpusDocument[],
    grouped = groupPassages(documents, wordsOfChunk),
    index?: RetrievalIndex,
  ) {
    this.#documents = documents;
    this.#numbers = grouped.numbers;
    this.passages = grouped.passages;
    this.#index = index ?? RetrievalIndex.of(this.passages.map(indexedText));
    if (this.#index.size !== this.passages.length) throw new RangeError('an index of other passages');
  }

  /**
   * Index documents, or take the index that was kept of them, or of others that they are made of for the most part.
   * Resolves when everything is there by which it will be searched; seconds of work are done in a thread. Bytes that are
   * no index of this version, or of other passages, are as none. Without `retrieval` only BM25 is made.
   */
  static async open(
    documents: readonly CorpusDocument[],
    retrieval: Retrieval | undefined,
    stored?: StoredIndex,
  ): Promise<Corpus> {
    const known = stored && fromStored(documents, stored);
    if (retrieval === undefined) return known ?? new Corpus(documents);
    const corpus = known ?? (await built(documents, retrieval));
    corpus.#retrieval = retrieval;
    corpus.#fitInBackground();
    await corpus.fitted;
    return corpus;
  }

  /** For whoever keeps it with the documents, best when it is `fitted`: what is not there is made anew where it is opened. */
  get indexBytes(): Uint8Array {
    return encodeIndex(this.#index);
  }

  /** Resolves when what is computed in the background is there, or will not come. */
  get fitted(): Promise<void> {
    return this.#fitting?.done ?? Promise.resolve();
  }

  /** Which words stand in how many passages. */
  get index(): Bm25Index {
    return this.#index.bm25;
  }

  /** Whether questions are compared by their meaning, too. */
  get hasLsa(): boolean {
    return this.#index.lsa !== null;
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
   * The corpus of the allowed contributions alone, at once and with BM25 as if it were built anew: after a revocation not
   * even the word statistics of what was revoked have a part in an answer. LSA, whose basis holds something of every
   * passage, is dropped and computed anew in the background; until then BM25 alone answers.
   */
  restrictedTo(allowed: ReadonlySet<ContributionId>): Corpus {
    const documents = this.#documents.filter((document) => allowed.has(document.contributionId));
    return this.revisedTo(documents);
  }

  /** The corpus of other documents, most of them the same objects: what is new is read, and what is gone is forgotten. */
  revisedTo(documents: readonly CorpusDocument[]): Corpus {
    const own = this.#documents;
    if (documents.length === own.length && documents.every((document, i) => document === own[i])) return this;
    // What it computes is of what was, and may hold something of what is to go.
    this.#fitting?.abort.abort();
    const grouped = groupPassages(documents, this.#keys(documents));
    const plan = grouped.passages.map((passage): number | string => {
      const number = this.#numbers.get(passage.sources[0]!.chunk);
      const isSame = number !== undefined && indexedText(this.passages[number]!) === indexedText(passage);
      // Read anew where what is indexed of it came from a source that it has no more.
      return isSame ? number : indexedText(passage);
    });
    const revised = new Corpus(documents, grouped, this.#index.patched(plan));
    revised.#retrieval = this.#retrieval;
    revised.#fitInBackground();
    return revised;
  }

  /** With a filter, passages without a source that passes are not scored, and the other sources are left out. */
  async search(question: string, limit: number, filter?: SourceFilter): Promise<ScoredPassage[]> {
    const passing = ({ sources }: Passage) =>
      filter === undefined ? sources : sources.filter((source) => passesFilter(filter, source));
    const accepts = filter && ((passage: number) => passing(this.passages[passage]!).length > 0);
    const options = { accepts, weights: this.#retrieval?.weights };
    return this.#index.search({ terms: termsOf(question) }, limit, options).map(({ passage: number, ...scores }) => {
      const passage = this.passages[number]!;
      const sources = passing(passage);
      const { score, lexicalScore } = scores;
      return { passage: sources === passage.sources ? passage : { ...passage, sources }, score, lexicalScore };
    });
  }

  /** Chunks of one passage stay so: only where there are others their words are compared. */
  #keys(documents: readonly CorpusDocument[]): (chunk: IngestedChunk) => string | number {
    const isKnown = documents.every(({ document }) => document.chunks.every((chunk) => this.#numbers.has(chunk)));
    return isKnown ? (chunk) => this.#numbers.get(chunk)! : wordsOfChunk;
  }

  #fitInBackground(): void {
    if (this.#retrieval === null || this.#index.lsa !== null) return;
    const abort = new AbortController();
    this.#fitting = { abort, done: this.#fit(this.#retrieval.maker, abort.signal) };
  }

  async #fit(maker: IndexMaker, signal: AbortSignal): Promise<void> {
    try {
      const { lsa } = await maker.make({ matrix: this.#index.bm25.matrix }, signal);
      if (!signal.aborted) this.#index = this.#index.with({ lsa });
    } catch {
      // Without it BM25 answers as well as it can; the next change tries again.
    } finally {
      this.#fitting = null;
    }
  }
}

/** Null where the bytes are no index of these documents' passages. */
function fromStored(documents: readonly CorpusDocument[], stored: StoredIndex): Corpus | null {
  const index = decodeIndex(stored.bytes);
  const grouped = index && groupPassages(stored.documents, wordsOfChunk);
  if (grouped === null || index?.size !== grouped.passages.length) return null;
  return new Corpus(stored.documents, grouped, index).revisedTo(documents);
}

async function built(documents: readonly CorpusDocument[], { maker }: Retrieval): Promise<Corpus> {
  const grouped = groupPassages(documents, wordsOfChunk);
  const texts = grouped.passages.map(indexedText);
  const index = await maker.make({ texts }, new AbortController().signal).catch(() => RetrievalIndex.of(texts));
  return new Corpus(documents, grouped, index);
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
