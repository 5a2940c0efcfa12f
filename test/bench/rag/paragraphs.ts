const WORDS_PER_PARAGRAPH = 130;
const VOCABULARY = 6_000;
/** One file of it is a few MiB: larger datasets are several contributions, as they are in life. */
const PARAGRAPHS_PER_FILE = 10_000;

export const marker = (paragraph: number): string => `site${paragraph.toString(36)}x`;

/** The nth question about so many paragraphs: one word of it stands in one paragraph only. */
export const questionAbout = (paragraphs: number, n: number): string =>
  `Which crew found ${marker((n * 7_919) % paragraphs)} and what happened there?`;

/** The files of a dataset of so many paragraphs, each of which becomes one chunk. */
export function filesOf(paragraphs: number): { readonly fileName: string; readonly text: string }[] {
  const files: { fileName: string; text: string }[] = [];
  for (let from = 0; from < paragraphs; from += PARAGRAPHS_PER_FILE) {
    const to = Math.min(paragraphs, from + PARAGRAPHS_PER_FILE);
    files.push({ fileName: `paragraphs-${files.length}.txt`, text: documentOf(from, to) });
  }
  return files;
}

/** Paragraphs of words with Zipf-like frequencies, each with one word that only it has. Deterministic. */
function documentOf(from: number, to: number): string {
  let state = 12_345 + from;
  const next = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
  const word = (): string => `w${Math.floor(VOCABULARY ** next()).toString(36)}`;
  const sentence = (length: number): string => Array.from({ length }, word).join(' ');
  const then = (): string => `Then ${sentence((WORDS_PER_PARAGRAPH - 24) / 7)}.`;
  const paragraph = (i: number): string =>
    `The crew found ${marker(i)} after ${sentence(20)}. ${Array.from({ length: 7 }, then).join(' ')}`;
  return Array.from({ length: to - from }, (_, i) => paragraph(from + i)).join('\n\n');
}
