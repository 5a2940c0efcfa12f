/** A text as it is compared: letters and digits alone, folded, each with where it stands. */
export interface Folded {
  readonly letters: string;
  /** Of each letter: where it starts and ends in the text. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Where in `letters` each word begins; of a script without spaces, each character. */
  readonly words: readonly number[];
}

/** Case, accents, compatibility forms, spacing and punctuation do not count: what differs in them alone is the same. */
export function fold(text: string): Folded {
  let letters = '';
  const starts: number[] = [];
  const ends: number[] = [];
  const words: number[] = [];
  let at = 0;
  let isNew = true;
  for (const character of text) {
    const end = at + character.length;
    const folded = foldedOf(character);
    if (folded === '') isNew ||= !WITHIN_WORD.test(character);
    else {
      const isOwn = WORD_OF_ITS_OWN.test(character);
      if (isNew || isOwn) words.push(letters.length);
      isNew = isOwn;
    }
    for (const letter of folded) {
      letters += letter;
      // One for each UTF-16 unit of the letter: positions in `letters` are positions in these lists.
      for (let unit = 0; unit < letter.length; unit++) {
        starts.push(at);
        ends.push(end);
      }
    }
    at = end;
  }
  return { letters, starts, ends, words };
}

/** Marks that are folded away, and what nobody sees. */
const WITHIN_WORD = /[\p{M}\p{Cf}]/u;
const WORD_OF_ITS_OWN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;

function foldedOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 128) return /[a-z0-9]/i.test(character) ? character.toLowerCase() : '';
  return character
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
}
