import type { ContributionId } from '@usufruct/kernel';
import { atOnce } from '@usufruct/retrieval';
import { neutralText } from '../generate/neutral-text.js';
import type { IngestedChunk, IngestedDocument } from '../ingest/ingest-document.js';

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
/**
 * As models read it that search: words that only their tokenizer knows could put a passage before others. Never blank, for
 * servers refuse a list for a text without a token.
 */
export const modelText = (passage: Passage): string => neutralText(indexedText(passage)).trim() || '-';
export const indexedText = ({ headings, text }: Passage): string => `${headings.join('\n')}\n${text}`;
export const wordsOfChunk = ({ text }: IngestedChunk): string => wordsOnly(text);

export interface Grouped {
  readonly passages: readonly Passage[];
  /** Of the passage that each chunk is in. */
  readonly numbers: ReadonlyMap<IngestedChunk, number>;
}

type KeyOf = (chunk: IngestedChunk) => string | number;
/** Some milliseconds: their words are compared. */
const CHUNKS_A_STEP = 512;

/** Chunks with the same key are one passage. */
export const groupPassages = (documents: readonly CorpusDocument[], keyOf: KeyOf): Grouped =>
  atOnce(grouping(documents, keyOf));

/** The same in steps, for whoever answers meanwhile. */
export function* grouping(documents: readonly CorpusDocument[], keyOf: KeyOf): Generator<void, Grouped, void> {
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
      if (numbers.size % CHUNKS_A_STEP === 0) yield;
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
