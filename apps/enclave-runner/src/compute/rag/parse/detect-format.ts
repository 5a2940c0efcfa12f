import { decodeText } from './decode-text.js';
import { broken, DocumentRefusal } from './refusal.js';
import type { DocumentFormat } from './types.js';

/** Names that a document may have. Clients take no others: `FILE_FORMATS` of the SDK says the same. */
export const FORMAT_OF_ENDING: Readonly<Record<string, DocumentFormat>> = {
  txt: 'txt',
  text: 'txt',
  md: 'md',
  markdown: 'md',
  html: 'html',
  htm: 'html',
  pdf: 'pdf',
  docx: 'docx',
  pptx: 'pptx',
  xlsx: 'xlsx',
  csv: 'csv',
  tsv: 'csv',
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  eml: 'eml',
};

/** The format that the file's name claims. Refuses `FORMAT_UNKNOWN`. */
export function formatOfName(fileName: string): DocumentFormat {
  const extension = /\.([A-Za-z0-9]{1,16})$/.exec(fileName)?.[1]?.toLowerCase() ?? '';
  const format = Object.hasOwn(FORMAT_OF_ENDING, extension) ? FORMAT_OF_ENDING[extension] : undefined;
  if (format === undefined) throw new DocumentRefusal('FORMAT_UNKNOWN');
  return format;
}

export type OfficeFormat = 'docx' | 'pptx' | 'xlsx';
/** Formats of one file without an archive around it. */
export type FlatFormat = Exclude<DocumentFormat, OfficeFormat>;
const isOffice = (format: DocumentFormat): format is OfficeFormat => ['docx', 'pptx', 'xlsx'].includes(format);
const ZIP_MAGIC = [0x50, 0x4b, 0x03, 0x04];
const PDF_MAGIC = [0x25, 0x50, 0x44, 0x46, 0x2d]; // %PDF-
const OLE2_MAGIC = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
/** First bytes of formats that are not text (or, for RTF and PostScript, not prose), and that nothing here reads. */
const OTHER_MAGIC: readonly (readonly number[])[] = [
  [0x7b, 0x5c, 0x72, 0x74, 0x66], // {\rtf
  [0x25, 0x21, 0x50, 0x53], // %!PS
  [0x1f, 0x8b], // gzip
  [0x89, 0x50, 0x4e, 0x47], // PNG
  [0xff, 0xd8, 0xff], // JPEG
  [0x52, 0x61, 0x72, 0x21], // RAR
  [0x37, 0x7a, 0xbc, 0xaf], // 7z
];
const startsWith = (bytes: Uint8Array, magic: readonly number[]): boolean =>
  magic.every((byte, i) => bytes[i] === byte);

/**
 * What a file is by its bytes, `ooxml` for an archive that has yet to be looked into. Its name must claim one of the
 * formats that are read, and decides between those that bytes cannot tell apart: any text is Markdown. What is
 * certainly another of them than its name says is read as what it is; what is none of them is refused.
 *
 * Refuses `FORMAT_UNKNOWN`, `FORMAT_BROKEN` (the bytes are not what the name says, nor anything else that is read) and
 * `DOCUMENT_LOCKED`.
 */
export function detectFormat(fileName: string, bytes: Uint8Array): FlatFormat | 'ooxml' {
  const claimed = formatOfName(fileName);
  if (startsWith(bytes, ZIP_MAGIC)) return 'ooxml';
  if (startsWith(bytes, PDF_MAGIC) || (claimed === 'pdf' && looksLikePdf(bytes))) return 'pdf';
  if (startsWith(bytes, OLE2_MAGIC)) throw oldOrLocked(bytes);
  if (claimed === 'pdf' || isOffice(claimed)) throw broken(claimed.toUpperCase());
  if (OTHER_MAGIC.some((magic) => startsWith(bytes, magic))) throw broken('text');
  const head = textHead(bytes);
  if (/^\s*(?:<!--[^]{0,500}?-->\s*)?<(?:!doctype\s+html|html)[\s>]/i.test(head)) return 'html';
  if (claimed === 'html' && !/<[A-Za-z!]/.test(head) && !/<[A-Za-z!]/.test(latin1(bytes))) throw broken('HTML');
  if (claimed === 'eml' && !looksLikeMail(head)) throw broken('EML');
  if (claimed === 'csv' && /^\s*[[{]/.test(head) && isJson(bytes)) return 'json';
  return claimed;
}

/** `%PDF-` within the first KiB (readers accept junk before it; ISO 32000-1 Annex H.3.4.1). */
function looksLikePdf(bytes: Uint8Array): boolean {
  const head = Math.min(bytes.length, 1024);
  for (let i = 0; i < head; i++) if (startsWith(bytes.subarray(i, i + 5), PDF_MAGIC)) return true;
  return false;
}

const latin1 = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);

/** Enough of the beginning to see structure in it, whatever the encoding: marks and tags are ASCII in all of them. */
function textHead(bytes: Uint8Array): string {
  const head = bytes.subarray(0, 4096);
  if (head[0] === 0xff && head[1] === 0xfe) return new TextDecoder('utf-16le').decode(head);
  if (head[0] === 0xfe && head[1] === 0xff) return new TextDecoder('utf-16be').decode(head);
  return new TextDecoder('utf-8').decode(head);
}

/** A message begins with header fields, and two of those that every message has some of are among them (RFC 5322). */
function looksLikeMail(head: string): boolean {
  const lines = head.split(/\r?\n/).slice(0, 60);
  const names = lines.map((line) => /^([A-Za-z][A-Za-z0-9-]{1,60}):/.exec(line)?.[1]?.toLowerCase());
  const known = 'from to cc date subject received return-path message-id mime-version content-type delivered-to sender';
  const found = known.split(' ').filter((name) => names.includes(name));
  // An mbox line may stand above ("From somebody Mon …").
  return found.length >= 2 && (names[0] !== undefined || head.startsWith('From '));
}

/** OLE2 holds the binary formats before 2007, and documents of today that are encrypted (MS-OFFCRYPTO §2.3.4). */
function oldOrLocked(bytes: Uint8Array): DocumentRefusal {
  const stream = [...'EncryptedPackage'].map((character) => `${character}\0`).join('');
  return latin1(bytes).includes(stream)
    ? new DocumentRefusal('DOCUMENT_LOCKED')
    : new DocumentRefusal('FORMAT_UNKNOWN', { found: 'a format of Office before 2007' });
}

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(decodeText(bytes));
    return true;
  } catch {
    return false;
  }
}
