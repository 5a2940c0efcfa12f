import { charsetOfHtml, decodeText } from './decode-text.js';
import { detectFormat, type FlatFormat } from './detect-format.js';
import { broken, DocumentRefusal, tooComplex, tooLarge } from './refusal.js';
import {
  indexedChars,
  PARSE_LIMITS,
  type DocumentFormat,
  type Parsed,
  type ParsedDocument,
  type ParseLimits,
} from './types.js';

export interface DocumentFile {
  readonly fileName: string;
  readonly bytes: Uint8Array;
}

/**
 * Read a document into blocks of text. Its bytes say what it is; its name only has to claim a format that is read.
 *
 * Throws nothing but a `DocumentRefusal`: `FORMAT_UNKNOWN`, `FORMAT_BROKEN` (the bytes are not what the name says, not
 * whole, or in an encoding that nothing declares), `DOCUMENT_LOCKED` (a password), `FILE_EMPTY` (no bytes, or no text in
 * them, as in a scan), `FILE_TOO_LARGE` (bytes, pages, rows or text) and `DOCUMENT_TOO_COMPLEX`. None names the file or
 * quotes it. Runs for as long, and takes as much memory, as the bytes make it: see `ingestDocument`.
 */
export async function parseBytes(
  file: DocumentFile,
  limits: ParseLimits = PARSE_LIMITS,
  depth = 0,
): Promise<ParsedDocument> {
  if (file.bytes.length === 0) throw new DocumentRefusal('FILE_EMPTY');
  if (file.bytes.length > limits.fileBytes) throw tooLarge(`${limits.fileBytes} bytes`);
  const parsed = await parsedBy(file, limits, depth);
  const { blocks } = parsed;
  if (blocks.length > limits.blocks) throw tooLarge(`${limits.blocks} blocks`);
  if (!blocks.some((block) => /[\p{L}\p{N}]/u.test(block.text)))
    throw new DocumentRefusal('FILE_EMPTY', { reason: 'no text' });
  if (indexedChars(blocks) > limits.textChars) throw tooLarge(`${limits.textChars} characters`);
  return { notRead: [], metadata: {}, ...parsed };
}

type Found = Parsed & { readonly format: DocumentFormat };

async function parsedBy(file: DocumentFile, limits: ParseLimits, depth: number): Promise<Found> {
  const format = detectFormat(file.fileName, file.bytes);
  try {
    return format === 'ooxml'
      ? await parsedOffice(file.bytes, limits)
      : await parsedAs(format, file.bytes, limits, depth);
  } catch (error) {
    if (error instanceof DocumentRefusal) throw error;
    // Too deep for the stack or too long for a string; any other error of a parser is about what it was given.
    throw error instanceof RangeError ? tooComplex('what its parser can hold') : broken(format.toUpperCase());
  }
}

/** A parser is loaded when the first document of its format comes. */
async function parsedOffice(bytes: Uint8Array, limits: ParseLimits): Promise<Found> {
  const { OfficePackage } = await import('./office/office-package.js');
  const document = new OfficePackage(bytes, limits);
  const { format } = document;
  switch (format) {
    case 'docx':
      return { format, ...(await import('./office/docx.js')).parseDocx(document, limits) };
    case 'pptx':
      return { format, ...(await import('./office/pptx.js')).parsePptx(document, limits) };
    case 'xlsx':
      return { format, ...(await import('./office/xlsx.js')).parseXlsx(document, limits) };
  }
}

async function parsedAs(format: FlatFormat, bytes: Uint8Array, limits: ParseLimits, depth: number): Promise<Found> {
  switch (format) {
    case 'txt':
      return { format, ...(await import('./plain-text.js')).parsePlainText(decodeText(bytes)) };
    case 'md':
      return { format, ...(await import('./markdown.js')).parseMarkdown(decodeText(bytes)) };
    case 'html': {
      if (bytes.length > limits.htmlBytes) throw tooLarge(`${limits.htmlBytes} bytes of HTML`);
      return { format, ...(await import('./html.js')).parseHtml(decodeText(bytes, charsetOfHtml(bytes)), limits) };
    }
    case 'csv':
      return { format, ...(await import('./csv.js')).parseCsv(decodeText(bytes), limits) };
    case 'json':
    case 'jsonl':
      return (await import('./json.js')).parseJson(decodeText(bytes), format, limits);
    case 'pdf':
      return { format, ...(await (await import('./pdf.js')).parsePdf(bytes, limits)) };
    case 'eml': {
      const { parseEml } = await import('./eml.js');
      return { format, ...(await parseEml(bytes, limits, attachmentReader(limits, depth + 1))) };
    }
  }
}

/** Attachments are documents like any other, a bounded number of messages deep. */
const attachmentReader =
  (limits: ParseLimits, depth: number) =>
  async (fileName: string, bytes: Uint8Array): Promise<Parsed> => {
    if (depth > limits.attachmentDepth) throw tooComplex(`${limits.attachmentDepth} messages in one another`);
    return parseBytes({ fileName, bytes }, limits, depth);
  };
