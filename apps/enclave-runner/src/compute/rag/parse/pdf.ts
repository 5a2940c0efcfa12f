import { getDocumentProxy } from 'unpdf';
import { oneLine } from './clean-text.js';
import { metadataOf } from './metadata.js';
import { broken, DocumentRefusal, tooLarge } from './refusal.js';
import type { Block, DocumentMetadata, Parsed, ParseLimits } from './types.js';

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;

interface PdfLine {
  readonly text: string;
  /** Distance from the bottom of the page and the font's height, both in points. */
  readonly y: number;
  readonly height: number;
}

/** A line starts a new paragraph when it stands further below the last one than this many font heights. */
const PARAGRAPH_GAP = 1.6;

/** Nothing of a document runs, nothing is fetched, no image is decoded, and nothing is written to the console. */
const OPTIONS = {
  isEvalSupported: false,
  disableFontFace: true,
  useSystemFonts: false,
  enableXfa: false,
  maxImageSize: 0,
  stopAtErrors: false,
  verbosity: 0,
};

/** Paragraphs of a PDF by page, from its text layer; a scan has none. Refuses `DOCUMENT_LOCKED` for a password. */
export async function parsePdf(bytes: Uint8Array, limits: ParseLimits): Promise<Parsed> {
  const pdf = await opened(bytes);
  if (pdf.numPages > limits.pdfPages) throw tooLarge(`${limits.pdfPages} pages`);
  const blocks: Block[] = [];
  let chars = 0;
  for (let number = 1; number <= pdf.numPages; number++) {
    const lines = await linesOf(pdf, number, limits.textChars - chars);
    chars += lines.reduce((sum, { text }) => sum + text.length, 0);
    for (const text of paragraphs(lines)) blocks.push({ text, headings: [], page: number });
    if (chars > limits.textChars) throw tooLarge(`${limits.textChars} characters`);
  }
  return { blocks, metadata: await metadataIn(pdf) };
}

async function opened(bytes: Uint8Array): Promise<Pdf> {
  try {
    return await getDocumentProxy(bytes, OPTIONS);
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException') throw new DocumentRefusal('DOCUMENT_LOCKED');
    throw broken('PDF');
  }
}

async function linesOf(pdf: Pdf, number: number, maxChars: number): Promise<PdfLine[]> {
  const page = await pdf.getPage(number);
  const { items } = await page.getTextContent();
  const lines: PdfLine[] = [];
  let open: { text: string; y: number; height: number } | null = null;
  let chars = 0;
  for (const item of items) {
    if (!('str' in item)) continue;
    open ??= { text: '', y: Number(item.transform[5]), height: item.height };
    open.text += item.str;
    open.height = Math.max(open.height, item.height);
    chars += item.str.length;
    if (chars > maxChars) break;
    if (item.hasEOL) {
      lines.push(open);
      open = null;
    }
  }
  if (open !== null) lines.push(open);
  page.cleanup();
  return lines;
}

async function metadataIn(pdf: Pdf): Promise<DocumentMetadata> {
  const info = await pdf.getMetadata().then(
    (found) => new Map(Object.entries(found.info)),
    () => new Map<string, unknown>(),
  );
  return metadataOf({
    title: info.get('Title'),
    author: info.get('Author'),
    date: dayOf(info.get('ModDate')) ?? dayOf(info.get('CreationDate')),
    language: info.get('Language'),
  });
}

/** `D:YYYYMMDDHHmmSS…` (ISO 32000-1 §7.9.4): the day, as it was where the document was made. */
const dayOf = (value: unknown): string | undefined =>
  /^D:(\d{4})(\d{2})(\d{2})/
    .exec(typeof value === 'string' ? value : '')
    ?.slice(1)
    .join('-');

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
