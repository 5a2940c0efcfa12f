import { refuse, type ContributionId } from '@usufruct/kernel';
import {
  decodeIndex,
  DenseIndex,
  encodeIndex,
  RetrievalIndex,
  termsOf,
  type Bm25Index,
  type Embedder,
  type FusionWeights,
  type Reranker,
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

const TEXTS_AT_ONCE = 32;
/** So many of the first are given to a reranker. */
const RERANKED = 32;

/** What a corpus is indexed by beyond BM25, and how much each kind of search counts. */
export interface Retrieval {
  readonly maker: IndexMaker;
  readonly weights?: FusionWeights;
  /** Where there is a model for it. */
  readonly embedder?: Embedder | undefined;
  /** Puts the first few in their last order, where there is a model for it. */
  readonly reranker?: Reranker | undefined;
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
  #completing: { readonly abort: AbortController; readonly done: Promise<void> } | null = null;
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
   * no index of this version, or of other passages, are as none. Rejects where there is an embedder that does not answer. Without `retrieval` only BM25 is made.
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
    corpus.#dropOtherVectors();
    await corpus.#complete(retrieval, new AbortController().signal);
    return corpus;
  }

  /** For whoever keeps it with the documents, best when it is `fitted`: what is not there is made anew where it is opened. */
  get indexBytes(): Uint8Array {
    return encodeIndex(this.#index);
  }

  /** Resolves when what is computed in the background is there, or will not come. */
  get fitted(): Promise<void> {
    return this.#completing?.done ?? Promise.resolve();
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
    this.#completing?.abort.abort();
    const grouped = groupPassages(documents, this.#keys(documents));
    const plan = grouped.passages.map((passage): number | string => {
      const number = this.#numbers.get(passage.sources[0]!.chunk);
      const isSame = number !== undefined && indexedText(this.passages[number]!) === indexedText(passage);
      // Read anew where what is indexed of it came from a source that it has no more.
      return isSame ? number : indexedText(passage);
    });
    const revised = new Corpus(documents, grouped, this.#index.patched(plan));
    revised.#retrieval = this.#retrieval;
    revised.#completeInBackground();
    return revised;
  }

  /**
   * With a filter, passages without a source that passes are not scored, and the other sources are left out.
   * Refuses `UPSTREAM_UNAVAILABLE` and `UPSTREAM_INVALID` where there is an embedder or a reranker that does not answer,
   * or otherwise than it should.
   */
  async search(question: string, limit: number, filter?: SourceFilter): Promise<ScoredPassage[]> {
    const passing = ({ sources }: Passage) =>
      filter === undefined ? sources : sources.filter((source) => passesFilter(filter, source));
    const accepts = filter && ((passage: number) => passing(this.passages[passage]!).length > 0);
    const options = { accepts, weights: this.#retrieval?.weights };
    const index = this.#index;
    const query = { terms: termsOf(question), vector: await this.#vectorOf(question, index) };
    const reranker = this.#retrieval?.reranker;
    const hits = index.search(query, reranker === undefined ? limit : Math.max(limit, RERANKED), options);
    const found = hits.map(({ passage: number, score, lexicalScore }): ScoredPassage => {
      const passage = this.passages[number]!;
      const sources = passing(passage);
      return { passage: sources === passage.sources ? passage : { ...passage, sources }, score, lexicalScore };
    });
    return reranker === undefined ? found : (await reranked(reranker, question, found)).slice(0, limit);
  }

  async #vectorOf(question: string, { dense }: RetrievalIndex): Promise<Float32Array | undefined> {
    const embedder = this.#retrieval?.embedder;
    if (dense === null || embedder === undefined) return undefined;
    const [vector] = await embedder.embed([question]);
    if (vector?.length !== dense.width) throw refuse('UPSTREAM_INVALID', { upstream: 'embedder', field: 'dimensions' });
    return vector;
  }

  /** Chunks of one passage stay so: only where there are others their words are compared. */
  #keys(documents: readonly CorpusDocument[]): (chunk: IngestedChunk) => string | number {
    const isKnown = documents.every(({ document }) => document.chunks.every((chunk) => this.#numbers.has(chunk)));
    return isKnown ? (chunk) => this.#numbers.get(chunk)! : wordsOfChunk;
  }

  #completeInBackground(): void {
    const retrieval = this.#retrieval;
    if (retrieval === null) return;
    const abort = new AbortController();
    // What is missing then is missed by no one who is asked by words; the next change tries again.
    const done = this.#complete(retrieval, abort.signal)
      .catch(() => undefined)
      .finally(() => (this.#completing = null));
    this.#completing = { abort, done };
  }

  async #complete({ maker, embedder }: Retrieval, signal: AbortSignal): Promise<void> {
    if (this.#index.lsa === null) {
      // Without it BM25 answers as well as it can.
      const made = await maker.make({ matrix: this.#index.bm25.matrix }, signal).catch(() => null);
      if (made !== null && !signal.aborted) this.#index = this.#index.with({ lsa: made.lsa });
    }
    if (embedder !== undefined) await this.#embed(embedder, signal);
  }

  async #embed(embedder: Embedder, signal: AbortSignal): Promise<void> {
    const { dense } = this.#index;
    const places = dense?.missing ?? [...this.passages.keys()];
    const rows: Float32Array[] = [];
    for (let from = 0; from < places.length && !signal.aborted; from += TEXTS_AT_ONCE) {
      const some = places.slice(from, from + TEXTS_AT_ONCE);
      rows.push(...(await embedder.embed(some.map((place) => indexedText(this.passages[place]!)))));
    }
    if (signal.aborted || places.length === 0) return;
    const whole = dense?.filled(places, rows) ?? DenseIndex.of(embedder.modelHash, rows);
    this.#index = this.#index.with({ dense: whole });
  }

  /** Those of another model than is here now say nothing. */
  #dropOtherVectors(): void {
    const { dense } = this.#index;
    if (dense !== null && dense.modelHash !== this.#retrieval?.embedder?.modelHash)
      this.#index = this.#index.with({ dense: null });
  }
}

/** The first ones in the order of the model; the scores stay with the places, not with the passages. */
async function reranked(
  reranker: Reranker,
  question: string,
  found: readonly ScoredPassage[],
): Promise<ScoredPassage[]> {
  const first = found.slice(0, RERANKED);
  if (first.length < 2) return [...found];
  const scores = await reranker.rerank(question, first.map(({ passage }) => indexedText(passage))); // prettier-ignore
  const order = [...first.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  const ordered = order.map((from, place) => ({ ...first[from]!, score: first[place]!.score }));
  return [...ordered, ...found.slice(RERANKED)];
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
