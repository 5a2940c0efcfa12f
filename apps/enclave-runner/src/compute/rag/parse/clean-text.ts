/**
 * Control and format characters, line feed, tab and the two joiners that scripts need excepted: bidirectional
 * overrides and zero-width characters show a reader something else than what is indexed and quoted.
 */
const INVISIBLE = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}]/gu;

/**
 * Marks upon one letter beyond the 30 of Unicode's Stream-Safe Text Format (UAX #15 §13): no language stacks so many,
 * and normalisation sorts them in quadratic time.
 */
const STACKED_MARKS = /(\p{M}{30})\p{M}+/gu;

/**
 * Line ends to `\n`, invisible characters and piles of marks out, Unicode NFC. Half a character of two (JSON can escape
 * one) is none: no encoding has it, and in an answer it takes six bytes.
 */
export const cleanText = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\r\n?|\u2028|\u2029/g, '\n')
    .replace(INVISIBLE, '')
    .replace(STACKED_MARKS, '$1')
    .normalize('NFC');

/** All white space, line ends included, to single spaces. */
export const oneLine = (text: string): string => cleanText(text).replace(/\s+/gu, ' ').trim();
