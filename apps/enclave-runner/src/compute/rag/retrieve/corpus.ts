import { refuse, type ContributionId } from '@usufruct/kernel';
import {
  Bm25Index,
  decodingIndex,
  DenseIndex,
  encodeIndex,
  encodingIndex,
  RetrievalIndex,
  RERANKED,
  rerankedPlaces,
  termMatrix,
  termsOf,
  textsOf,
  type Embedder,
  type FusionWeights,
  type Reranker,
  type TermMatrix,
} from '@usufruct/retrieval';
import type { IngestedChunk } from '../ingest/ingest-document.js';
import { nearDuplicateGroups } from '../ingest/near-duplicates.js';
import { inTurns } from '../../../slices.js';
import type { IndexMaker } from './index-process.js';
import {
  grouping,
  groupPassages,
  indexedText,
  modelText,
  wordsOfChunk,
  type CorpusDocument,
  type Grouped,
  type Passage,
} from './passages.js';
import { passesFilter, type SourceFilter } from './source-filter.js';

export { wordsOnly, type CorpusDocument, type IndexedDocument, type Passage, type PassageSource } from './passages.js';

export interface ScoredPassage {
  readonly passage: Passage;
  /** What it ranks by; comparable within one search only. */
  readonly score: number;
  /** BM25; 0 where it has none of the question's words. */
  readonly lexicalScore: number;
}

const TEXTS_AT_ONCE = 32;

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
  #linking: { readonly abort: AbortController; readonly done: Promise<boolean> } | null = null;
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
   * Resolves when everything is there by which it will be searched, but for the graph of very many vectors, which are
   * searched one by one until it is made (`linked`); new texts are read, and seconds of work done, in a process of their
   * own. Bytes that are no index of this version, or of other passages, are as none. Without `retrieval` only BM25 is made.
   *
   * Rejects where there is an embedder that does not answer, and refuses `RUNNER_UNAVAILABLE` where that process ended
   * over the texts, or was ended by the signal.
   */
  static async open(
    documents: readonly CorpusDocument[],
    retrieval: Retrieval | undefined,
    stored?: StoredIndex,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Corpus> {
    const known = stored && (await fromStored(documents, stored, retrieval, signal));
    if (retrieval === undefined) return known ?? new Corpus(documents);
    const corpus = known ?? (await built(documents, retrieval, signal));
    corpus.#retrieval = retrieval;
    corpus.#dropOtherVectors();
    // One that was built has LSA, or can have none.
    if (corpus === known) await corpus.#fit(retrieval, signal);
    await corpus.#embed(retrieval, signal);
    corpus.#linkInBackground(retrieval);
    return corpus;
  }

  /** For whoever keeps it with the documents, best when it is `fitted`: what is not there is made anew where it is opened. */
  get indexBytes(): Uint8Array {
    return encodeIndex(this.#index);
  }

  /** The same in turns with others. */
  encoded(): Promise<Uint8Array> {
    return inTurns(encodingIndex(this.#index));
  }

  /** Resolves when what is computed in the background is there, or will not come. */
  get fitted(): Promise<void> {
    return this.#completing?.done ?? Promise.resolve();
  }

  /** Resolves after `fitted` to whether a graph of its vectors was made since it was opened or revised. */
  get linked(): Promise<boolean> {
    return this.fitted.then(() => this.#linking?.done ?? false);
  }

  /** What is computed in the background is given up, with all that it was given. */
  close(): void {
    this.#completing?.abort.abort();
    this.#linking?.abort.abort();
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
   * The corpus of the allowed contributions alone, with BM25 as if it were built anew: after a revocation not even the
   * word statistics of what was revoked have a part in an answer. LSA, whose basis holds something of every
   * passage, is dropped and computed anew in the background; until then BM25 alone answers.
   */
  restrictedTo(
    allowed: ReadonlySet<ContributionId>,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Corpus> {
    const documents = this.#documents.filter((document) => allowed.has(document.contributionId));
    return this.revisedTo(documents, this.#retrieval ?? undefined, signal);
  }

  /**
   * The corpus of other documents, most of them the same objects: what is new is read, and what is gone is forgotten. In
   * steps, between which others are answered. This one stays as it is, but for what it computes in the background.
   */
  async revisedTo(
    documents: readonly CorpusDocument[],
    retrieval: Retrieval | undefined,
    signal: AbortSignal,
  ): Promise<Corpus> {
    const own = this.#documents;
    if (documents.length === own.length && documents.every((document, i) => document === own[i])) return this;
    // What it computes is of what was, and may hold something of what is to go.
    this.close();
    const grouped = await inTurns(grouping(documents, this.#keys(documents)));
    const plan = grouped.passages.map((passage): number | string => {
      const { chunk } = passage.sources[0]!;
      const number = this.#numbers.get(chunk);
      // Read anew where what is indexed of it came from a source that it has no more.
      return number !== undefined && this.passages[number]!.sources[0]!.chunk === chunk ? number : indexedText(passage);
    });
    const fresh = await readTexts(textsOf(plan), retrieval, signal);
    const revised = new Corpus(documents, grouped, await inTurns(this.#index.patching(plan, fresh)));
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
    const [vector] = await embedder.embed([question], 'question');
    if (vector?.length !== dense.width) throw ofAnotherWidth();
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
    const done = this.#fit(retrieval, abort.signal)
      .then(() => this.#embed(retrieval, abort.signal))
      .catch(() => undefined)
      .finally(() => {
        this.#completing = null;
        if (!abort.signal.aborted) this.#linkInBackground(retrieval);
      });
    this.#completing = { abort, done };
  }

  /** Where it cannot be made, exact search goes on. */
  #linkInBackground({ maker }: Retrieval): void {
    const { dense } = this.#index;
    if (dense?.wantsGraph !== true) return;
    const abort = new AbortController();
    const done = maker.link(dense, abort.signal).then(
      (linked) => {
        if (abort.signal.aborted) return false;
        this.#index = this.#index.with({ dense: linked });
        return true;
      },
      () => false,
    );
    this.#linking = { abort, done };
  }

  /** Without it BM25 answers as well as it can. */
  async #fit({ maker }: Retrieval, signal: AbortSignal): Promise<void> {
    if (this.#index.lsa !== null) return;
    const lsa = await maker.fit(this.#index.bm25.matrix, signal).catch(() => null);
    if (lsa !== null && !signal.aborted) this.#index = this.#index.with({ lsa });
  }

  async #embed({ embedder }: Retrieval, signal: AbortSignal): Promise<void> {
    if (embedder === undefined) return;
    const { dense } = this.#index;
    const places = dense?.missing ?? [...this.passages.keys()];
    const rows: Float32Array[] = [];
    for (let from = 0; from < places.length && !signal.aborted; from += TEXTS_AT_ONCE) {
      const some = places.slice(from, from + TEXTS_AT_ONCE);
      rows.push(
        ...(await embedder.embed(
          some.map((place) => modelText(this.passages[place]!)),
          'passage',
        )),
      );
    }
    if (signal.aborted || places.length === 0) return;
    const width = dense?.width ?? rows[0]?.length;
    if (rows.some(({ length }) => length !== width)) throw ofAnotherWidth();
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

const ofAnotherWidth = () => refuse('UPSTREAM_INVALID', { upstream: 'embedder', field: 'dimensions' });

/** The first ones in the order of the model; the scores stay with the places, not with the passages. */
async function reranked(
  reranker: Reranker,
  question: string,
  found: readonly ScoredPassage[],
): Promise<ScoredPassage[]> {
  const places = await rerankedPlaces(reranker, question, found.map(({ passage }) => modelText(passage))); // prettier-ignore
  return places.map((from, place) => ({ ...found[from]!, score: found[place]!.score }));
}

/** Null where the bytes are no index of these documents' passages. */
async function fromStored(
  documents: readonly CorpusDocument[],
  stored: StoredIndex,
  retrieval: Retrieval | undefined,
  signal: AbortSignal,
): Promise<Corpus | null> {
  const index = await inTurns(decodingIndex(stored.bytes));
  const grouped = index && (await inTurns(grouping(stored.documents, wordsOfChunk)));
  if (grouped === null || index?.size !== grouped.passages.length) return null;
  return new Corpus(stored.documents, grouped, index).revisedTo(documents, retrieval, signal);
}

async function built(documents: readonly CorpusDocument[], { maker }: Retrieval, signal: AbortSignal): Promise<Corpus> {
  const grouped = await inTurns(grouping(documents, wordsOfChunk));
  const { matrix, lsa } = await maker.make(grouped.passages.map(indexedText), signal).catch(notMade);
  return new Corpus(documents, grouped, new RetrievalIndex(new Bm25Index(matrix), lsa));
}

/** What nobody knows yet is read where it can do no harm. */
async function readTexts(
  texts: readonly string[],
  retrieval: Retrieval | undefined,
  signal: AbortSignal,
): Promise<TermMatrix> {
  if (retrieval === undefined || texts.length === 0) return termMatrix(texts);
  return retrieval.maker.read(texts, signal).catch(notMade);
}

/** What the process ended over would end this one, or hold it up for minutes. */
function notMade(cause: unknown): never {
  throw refuse('RUNNER_UNAVAILABLE', { reason: 'the index could not be made' }, cause);
}
