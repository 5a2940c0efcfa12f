import type { CorpusDocument } from '../rag/index.js';

/** What a chunk takes beside its text: itself, its passage, sketch, vector of LSA, and places in tables. Measured. */
const CHUNK_BYTES = 1_500;
/** UTF-16 units; V8 takes one byte for many of them. */
const CHAR_BYTES = 2;
/** Of a word that stands nowhere else (`libs/retrieval/src/term-matrix.ts`). */
const TERM_BYTES = 20;

/** By UTF-16 unit: whether it ends a word, and stands in a script without spaces, whose words are pairs of characters. */
const [BETWEEN, LETTER, UNSPACED, APOSTROPHE] = [0, 1, 2, 3];
/** And how many characters it becomes where compatibility forms are folded (U+0E33 two, U+FDFA eighteen). */
const { kinds: KINDS, lengths: LENGTHS } = tables();

/**
 * Bytes that a document takes in a session, index and all: about what is measured, and more rather than less, whatever its
 * words are. By its characters, chunks and words, so that none of them can be made up to take more than they count.
 */
export function sizeOf({ chunks }: CorpusDocument['document']): number {
  let bytes = 0;
  let above: readonly string[] | undefined;
  let aboveBytes = 0;
  for (const { text, headings } of chunks) {
    // Indexed with every chunk below them.
    if (headings !== above) [above, aboveBytes] = [headings, textBytes(headings.join('\n'))];
    bytes += CHUNK_BYTES + textBytes(text) + aboveBytes;
  }
  return bytes;
}

const textBytes = (text: string): number => CHAR_BYTES * text.length + TERM_BYTES * mostTerms(text);

/** At least as many as the text has terms (`termsOf`), by one look at each of its letters. */
export function mostTerms(text: string): number {
  let [terms, length, words, isUnspaced] = [0, 0, 0, false];
  for (let i = 0; i <= text.length; i++) {
    const unit = i < text.length ? text.charCodeAt(i) : 0;
    const kind = KINDS[unit]!;
    if (kind !== BETWEEN) {
      // What stands behind an apostrophe belongs to the word, or is another one.
      if (length === 0 || kind === APOSTROPHE) words++;
      length += LENGTHS[unit]!;
      isUnspaced ||= kind === UNSPACED;
      continue;
    }
    // One character of such a script makes pairs of its whole run.
    terms += isUnspaced ? length : words;
    [length, words, isUnspaced] = [0, 0, false];
  }
  return terms;
}

/** What lies beyond the first 65,536 characters is taken for two of the costliest. */
function tables(): { readonly kinds: Uint8Array; readonly lengths: Uint8Array } {
  const letter = /[\p{L}\p{M}\p{N}]/u;
  const unspaced =
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Surrogate}]/u;
  const [kinds, lengths] = [new Uint8Array(65_536), new Uint8Array(65_536)];
  for (let unit = 0; unit < kinds.length; unit++) {
    const folded = String.fromCharCode(unit).normalize('NFKC').toLowerCase();
    kinds[unit] = unspaced.test(folded) ? UNSPACED : letter.test(String.fromCharCode(unit)) ? LETTER : BETWEEN;
    lengths[unit] = folded.length;
  }
  for (const unit of "'’") kinds[unit.charCodeAt(0)] = APOSTROPHE;
  return { kinds, lengths };
}
