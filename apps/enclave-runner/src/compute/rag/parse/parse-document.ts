import { refuse } from '@usufruct/kernel';
import { parseCsv } from './csv.js';
import { formatOfName, textOf } from './format.js';
import { parseHtml } from './html.js';
import { parseMarkdown } from './markdown.js';
import { parsePdf } from './pdf.js';
import { parsePlainText } from './plain-text.js';
import {
  indexedChars,
  PARSE_LIMITS,
  type Block,
  type DocumentFormat,
  type ParsedDocument,
  type ParseLimits,
} from './types.js';

export interface DocumentFile {
  readonly fileName: string;
  readonly bytes: Uint8Array;
}

/**
 * Read a document into blocks of text. The name's extension says what it is, the bytes must agree.
 *
 * Refuses `FORMAT_UNKNOWN`, `FORMAT_BROKEN` (the bytes are not of that format, not UTF-8, or the parser gave up),
 * `FILE_EMPTY` (no bytes, or no text in them, as in a scan) and `FILE_TOO_LARGE` (bytes, pages, rows or text). No
 * refusal names the file or quotes it. Whatever the bytes are, the process survives them.
 */
export async function parseDocument(
  { fileName, bytes }: DocumentFile,
  limits: ParseLimits = PARSE_LIMITS,
): Promise<ParsedDocument> {
  const format = formatOfName(fileName);
  if (bytes.length === 0) throw refuse('FILE_EMPTY');
  const maxBytes = format === 'html' ? Math.min(limits.htmlBytes, limits.fileBytes) : limits.fileBytes;
  if (bytes.length > maxBytes) throw refuse('FILE_TOO_LARGE', { limit: `${maxBytes} bytes` });
  const blocks = await blocksOf(format, bytes, limits);
  if (blocks.length > limits.blocks) throw refuse('FILE_TOO_LARGE', { limit: `${limits.blocks} blocks` });
  if (!blocks.some((block) => /[\p{L}\p{N}]/u.test(block.text))) throw refuse('FILE_EMPTY', { reason: 'no text' });
  if (indexedChars(blocks) > limits.textChars)
    throw refuse('FILE_TOO_LARGE', { limit: `${limits.textChars} characters` });
  return { format, blocks };
}

async function blocksOf(format: DocumentFormat, bytes: Uint8Array, limits: ParseLimits): Promise<Block[]> {
  switch (format) {
    case 'txt':
      return parsePlainText(textOf(bytes));
    case 'md':
      return parseMarkdown(textOf(bytes));
    case 'html':
      return parseHtml(textOf(bytes), limits);
    case 'csv':
      return parseCsv(textOf(bytes), limits);
    case 'pdf':
      return parsePdf(bytes, limits);
  }
}
