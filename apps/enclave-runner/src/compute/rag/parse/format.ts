import { refuse } from '@usufruct/kernel';
import { decodeUtf8 } from './clean-text.js';
import type { DocumentFormat } from './types.js';

const BY_EXTENSION: Readonly<Record<string, DocumentFormat>> = {
  txt: 'txt',
  text: 'txt',
  md: 'md',
  markdown: 'md',
  html: 'html',
  htm: 'html',
  pdf: 'pdf',
  csv: 'csv',
};

/** The format that the file's name claims. Refuses `FORMAT_UNKNOWN`. */
export function formatOfName(fileName: string): DocumentFormat {
  const extension = /\.([A-Za-z0-9]{1,16})$/.exec(fileName)?.[1]?.toLowerCase() ?? '';
  const format = Object.hasOwn(BY_EXTENSION, extension) ? BY_EXTENSION[extension] : undefined;
  if (format === undefined) throw refuse('FORMAT_UNKNOWN');
  return format;
}

/** First bytes of formats that are not text (or, for RTF and PostScript, not prose). */
const MAGIC: readonly (readonly number[])[] = [
  [0x25, 0x50, 0x44, 0x46, 0x2d], // %PDF-
  [0x50, 0x4b, 0x03, 0x04], // ZIP: docx, xlsx, odt, epub
  [0xd0, 0xcf, 0x11, 0xe0], // OLE2: doc, xls
  [0x7b, 0x5c, 0x72, 0x74, 0x66], // {\rtf
  [0x25, 0x21, 0x50, 0x53], // %!PS
  [0x1f, 0x8b], // gzip
  [0x89, 0x50, 0x4e, 0x47], // PNG
  [0xff, 0xd8, 0xff], // JPEG
];
const startsWith = (bytes: Uint8Array, magic: readonly number[]): boolean =>
  magic.every((byte, i) => bytes[i] === byte);

/**
 * Text of a text format: strict UTF-8, no NUL, not the beginning of a known binary format. Refuses `FORMAT_BROKEN`.
 */
export function textOf(bytes: Uint8Array): string {
  if (MAGIC.some((magic) => startsWith(bytes, magic)) || bytes.includes(0)) {
    throw refuse('FORMAT_BROKEN', { expected: 'text' });
  }
  return decodeUtf8(bytes);
}

/** `%PDF-` within the first KiB (readers accept junk before it; ISO 32000-1 Annex H.3.4.1). */
export function looksLikePdf(bytes: Uint8Array): boolean {
  const head = Math.min(bytes.length, 1024);
  for (let i = 0; i < head; i++) if (startsWith(bytes.subarray(i, i + 5), MAGIC[0]!)) return true;
  return false;
}
