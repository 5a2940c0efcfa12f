import { refuse } from '@usufruct/kernel';
import { oneLine } from './clean-text.js';
import { looksLikePdf } from './format.js';
import { parseInThread } from './parser-thread.js';
import type { PdfLine } from './parser-worker.js';
import type { Block, ParseLimits } from './types.js';

/** A line starts a new paragraph when it stands further below the last one than this many font heights. */
const PARAGRAPH_GAP = 1.6;

/** Paragraphs of a PDF by page, from its text layer; a scan has none. */
export async function parsePdf(bytes: Uint8Array, limits: ParseLimits): Promise<Block[]> {
  if (!looksLikePdf(bytes)) throw refuse('FORMAT_BROKEN', { expected: 'PDF' });
  const bounds = { maxPages: limits.pdfPages, maxChars: limits.textChars };
  const { pages } = await parseInThread({ kind: 'pdf', bytes, ...bounds }, limits);
  return pages.flatMap((lines, index) =>
    paragraphs(lines).map((text): Block => ({ text, headings: [], page: index + 1 })),
  );
}

function paragraphs(lines: readonly PdfLine[]): string[] {
  const groups: string[][] = [];
  let last: PdfLine | null = null;
  for (const line of lines) {
    if (line.text.trim() === '') continue;
    const gap = last === null ? Infinity : Math.abs(last.y - line.y);
    if (gap > PARAGRAPH_GAP * Math.max(line.height, last?.height ?? 0, 1)) groups.push([line.text]);
    else groups.at(-1)!.push(line.text);
    last = line;
  }
  return groups.map((group) => oneLine(joinLines(group))).filter((text) => text !== '');
}

/** A hyphen at the end of a line followed by a lower-case letter is the typesetter's. */
const joinLines = (lines: readonly string[]): string =>
  lines
    .map((line, i) => {
      const text = line.trim();
      const next = lines[i + 1]?.trim() ?? '';
      return /\p{L}-$/u.test(text) && /^\p{Ll}/u.test(next) ? text.slice(0, -1) : `${text} `;
    })
    .join('');
