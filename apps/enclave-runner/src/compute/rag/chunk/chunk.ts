import type { Block, Place } from '../parse/types.js';
import { detectLanguage } from './language.js';
import { sentenceRanges, type TextRange } from './sentences.js';
import { countWords, wordRanges } from './words.js';

/** A passage of one place in a document: what is indexed, retrieved and cited. */
export interface Chunk {
  /** From 0 within the document. */
  readonly ordinal: number;
  /** `documentText(document).slice(startChar, endChar)`. */
  readonly text: string;
  readonly startChar: number;
  readonly endChar: number;
  readonly headings: readonly string[];
  /** Where in the document, for people: heading path, page or rows. */
  readonly locator: string;
  /** The same for filters: where its first block stands. */
  readonly place: Place;
  /** BCP 47, as far as the text tells, else what the document says; undefined where neither does. */
  readonly language: string | undefined;
}

/** What is cut: a parsed document, as far as it matters here. */
export interface BlockDocument {
  readonly blocks: readonly Block[];
  readonly metadata?: { readonly language?: string };
}

/** A chunk is closed once it has `enoughWords` and never grows beyond the other two. */
export const CHUNK_SIZE = { enoughWords: 120, maxWords: 220, maxChars: 2_000 } as const;

/** A path of headings is shown up to here: each citation carries one, and an answer has a limit on its size. */
export const LOCATOR_CHARS = 300;
const SEPARATOR = '\n\n';
/** The text that offsets of chunks refer to. */
export const documentText = (document: BlockDocument): string =>
  document.blocks.map((block) => block.text).join(SEPARATOR);

interface Piece extends TextRange {
  readonly words: number;
  readonly block: Block;
}

/**
 * Pack consecutive blocks of one place (same headings, page, slide, sheet and attachment) into chunks of about 120 to 220 words; a longer
 * block is cut between sentences, a longer sentence between words, a longer word anywhere, by the rules of its language. Every character of the
 * document that is not white space is in exactly one chunk.
 */
export function chunkDocument(document: BlockDocument): Chunk[] {
  const text = documentText(document);
  const declared = document.metadata?.language;
  const chunks: Chunk[] = [];
  let open: Piece[] = [];
  const close = (): void => {
    if (open.length > 0) chunks.push(chunkOf(text, open, chunks.length, declared));
    open = [];
  };
  for (const piece of piecesOf(document)) {
    if (open.length > 0 && !fits(open, piece)) close();
    open.push(piece);
  }
  close();
  return chunks;
}

function fits(open: readonly Piece[], next: Piece): boolean {
  const first = open[0]!;
  if (!samePlace(first.block, next.block) || !samePath(first.block.headings, next.block.headings)) return false;
  const words = open.reduce((total, piece) => total + piece.words, 0);
  return (
    words < CHUNK_SIZE.enoughWords &&
    words + next.words <= CHUNK_SIZE.maxWords &&
    next.end - first.start <= CHUNK_SIZE.maxChars
  );
}

/** Rows and records are counted through a place, not places of their own. */
const samePlace = (left: Place, right: Place): boolean =>
  left.page === right.page &&
  left.slide === right.slide &&
  left.sheet === right.sheet &&
  left.attachment === right.attachment;

const samePath = (left: readonly string[], right: readonly string[]): boolean =>
  left === right || (left.length === right.length && left.every((title, i) => title === right[i]));

function chunkOf(text: string, pieces: readonly Piece[], ordinal: number, declared: string | undefined): Chunk {
  const [first, last] = [pieces[0]!, pieces.at(-1)!];
  const own = text.slice(first.start, last.end);
  return {
    ordinal,
    text: own,
    startChar: first.start,
    endChar: last.end,
    headings: first.block.headings,
    locator: locatorOf(first.block, last.block),
    place: placeOf(first.block),
    language: detectLanguage(own) ?? declared,
  };
}

const placeOf = ({ text: _text, headings: _headings, ...place }: Block): Place => place;

function locatorOf(first: Block, last: Block): string {
  const numbers = [
    first.page !== undefined && `page ${first.page}`,
    first.slide !== undefined && `slide ${first.slide}`,
    span('row', first.row, last.row),
    span('record', first.record, last.record),
  ].filter((part) => typeof part === 'string');
  // Headings lead to a row (the sheet's name is one) or an attachment; a page or slide is found without them.
  const isNumbered = first.page !== undefined || first.slide !== undefined;
  const path = isNumbered ? (first.attachment === undefined ? [] : [first.attachment]) : first.headings;
  return shortened([...path, ...numbers].join(' › '));
}

const span = (unit: string, first: number | undefined, last: number | undefined): string | false =>
  first !== undefined && (first === last || last === undefined ? `${unit} ${first}` : `${unit}s ${first}–${last}`);

const shortened = (path: string): string =>
  path.length <= LOCATOR_CHARS ? path : `${path.slice(0, LOCATOR_CHARS - 1).toWellFormed()}…`;

function* piecesOf(document: BlockDocument): Generator<Piece> {
  let offset = 0;
  for (const block of document.blocks) {
    for (const { start, end, words } of splitToFit(block.text, document.metadata?.language)) {
      yield { start: offset + start, end: offset + end, words, block };
    }
    offset += block.text.length + SEPARATOR.length;
  }
}

interface Counted extends TextRange {
  readonly words: number;
}

function splitToFit(text: string, declared: string | undefined): Counted[] {
  // Most blocks fit, and need not be looked at further.
  const words = text.length <= CHUNK_SIZE.maxChars ? countWords(text, declared) : Infinity;
  if (words <= CHUNK_SIZE.maxWords) return [{ start: 0, end: text.length, words }];
  const language = detectLanguage(text) ?? declared;
  const parts = sentenceRanges(text, language).flatMap((sentence): Counted[] => {
    const isShort = sentence.end - sentence.start <= CHUNK_SIZE.maxChars;
    const count = isShort ? countWords(text.slice(sentence.start, sentence.end), language) : Infinity;
    return count <= CHUNK_SIZE.maxWords ? [{ ...sentence, words: count }] : splitByWords(text, sentence, language);
  });
  return packed(parts);
}

/** Runs of neighbouring parts, each as long as it may be. */
function packed(parts: readonly Counted[]): Counted[] {
  const runs: Counted[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    const isShortEnough =
      last !== undefined &&
      last.words + part.words <= CHUNK_SIZE.enoughWords &&
      part.end - last.start <= CHUNK_SIZE.maxChars;
    if (isShortEnough) runs[runs.length - 1] = { start: last.start, end: part.end, words: last.words + part.words };
    else runs.push(part);
  }
  return runs;
}

function splitByWords(text: string, { start, end }: TextRange, language: string | undefined): Counted[] {
  const ranges: Counted[] = [];
  let open: { start: number; end: number; words: number } | null = null;
  for (const range of wordRanges(text.slice(start, end), language)) {
    const [from, to] = [start + range.start, start + range.end];
    if (open && open.words < CHUNK_SIZE.enoughWords && to - open.start <= CHUNK_SIZE.maxChars) {
      open.end = to;
      open.words++;
    } else {
      if (open) ranges.push(open);
      open = { start: from, end: to, words: 1 };
    }
  }
  if (open) ranges.push(open);
  return ranges;
}
