import type { Block, ParsedDocument } from '../parse/types.js';
import { sentenceRanges, type TextRange } from './sentences.js';

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
}

/** A chunk is closed once it has `enoughWords` and never grows beyond the other two. */
export const CHUNK_SIZE = { enoughWords: 120, maxWords: 220, maxChars: 2_000 } as const;

/** A path of headings is shown up to here: each citation carries one, and an answer has a limit on its size. */
const LOCATOR_CHARS = 300;
const SEPARATOR = '\n\n';
/** The text that offsets of chunks refer to. */
export const documentText = (document: ParsedDocument): string =>
  document.blocks.map((block) => block.text).join(SEPARATOR);

interface Piece extends TextRange {
  readonly words: number;
  readonly block: Block;
}

/**
 * Pack consecutive blocks of one place (same headings, same page) into chunks of about 120 to 220 words; a longer
 * block is cut between sentences, a longer sentence between words, a longer word anywhere. Every character of the
 * document that is not white space is in exactly one chunk.
 */
export function chunkDocument(document: ParsedDocument): Chunk[] {
  const text = documentText(document);
  const chunks: Chunk[] = [];
  let open: Piece[] = [];
  const close = (): void => {
    if (open.length > 0) chunks.push(chunkOf(text, open, chunks.length));
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
  if (first.block.page !== next.block.page || !samePath(first.block.headings, next.block.headings)) return false;
  const words = open.reduce((total, piece) => total + piece.words, 0);
  return (
    words < CHUNK_SIZE.enoughWords &&
    words + next.words <= CHUNK_SIZE.maxWords &&
    next.end - first.start <= CHUNK_SIZE.maxChars
  );
}

const samePath = (left: readonly string[], right: readonly string[]): boolean =>
  left === right || (left.length === right.length && left.every((title, i) => title === right[i]));

function chunkOf(text: string, pieces: readonly Piece[], ordinal: number): Chunk {
  const [first, last] = [pieces[0]!, pieces.at(-1)!];
  return {
    ordinal,
    text: text.slice(first.start, last.end),
    startChar: first.start,
    endChar: last.end,
    headings: first.block.headings,
    locator: locatorOf(first.block, last.block),
  };
}

function locatorOf(first: Block, last: Block): string {
  if (first.page !== undefined) return `page ${first.page}`;
  if (first.row !== undefined) return first.row === last.row ? `row ${first.row}` : `rows ${first.row}–${last.row}`;
  const path = first.headings.join(' › ');
  return path.length <= LOCATOR_CHARS ? path : `${path.slice(0, LOCATOR_CHARS - 1).toWellFormed()}…`;
}

function* piecesOf(document: ParsedDocument): Generator<Piece> {
  let offset = 0;
  for (const block of document.blocks) {
    for (const { start, end } of splitToFit(block.text, 0, block.text.length)) {
      yield { start: offset + start, end: offset + end, words: countWords(block.text.slice(start, end)), block };
    }
    offset += block.text.length + SEPARATOR.length;
  }
}

const countWords = (text: string): number => text.match(/\S+/gu)?.length ?? 0;
const isShortEnough = (text: string): boolean =>
  text.length <= CHUNK_SIZE.maxChars && countWords(text) <= CHUNK_SIZE.maxWords;

function splitToFit(text: string, start: number, end: number): TextRange[] {
  const whole = text.slice(start, end);
  if (isShortEnough(whole)) return [{ start, end }];
  const sentences = sentenceRanges(whole);
  const parts = sentences.flatMap((sentence) =>
    isShortEnough(whole.slice(sentence.start, sentence.end)) ? [sentence] : splitByWords(whole, sentence),
  );
  return packed(whole, parts).map((range) => ({ start: start + range.start, end: start + range.end }));
}

/** Runs of neighbouring parts, each as long as it may be. */
function packed(text: string, parts: readonly TextRange[]): TextRange[] {
  const runs: TextRange[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    const joined = last && text.slice(last.start, part.end);
    if (last && joined !== undefined && isShortEnough(joined) && countWords(joined) <= CHUNK_SIZE.enoughWords) {
      runs[runs.length - 1] = { start: last.start, end: part.end };
    } else {
      runs.push(part);
    }
  }
  return runs;
}

function splitByWords(text: string, { start, end }: TextRange): TextRange[] {
  const ranges: TextRange[] = [];
  let open: { start: number; end: number; words: number } | null = null;
  for (const match of text.slice(start, end).matchAll(/\S{1,2000}/gu)) {
    const from = start + match.index;
    const to = from + match[0].length;
    if (open && open.words < CHUNK_SIZE.enoughWords && to - open.start <= CHUNK_SIZE.maxChars) {
      open.end = to;
      open.words++;
    } else {
      if (open) ranges.push(open);
      open = { start: from, end: to, words: 1 };
    }
  }
  if (open) ranges.push(open);
  return ranges.map((range) => ({ start: range.start, end: range.end }));
}
