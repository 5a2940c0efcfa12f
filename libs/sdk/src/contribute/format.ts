import { refuse } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';

/** Formats that the runner can read, by the file name's ending. What a file is, the runner tells by its bytes. */
export const FILE_FORMATS = {
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
} as const;
export type FileFormat = (typeof FILE_FORMATS)[keyof typeof FILE_FORMATS];

const MAX_NAME_BYTES = 255;

/**
 * Check what can be known before reading: name and size. The bytes are checked by the runner, which alone reads them.
 * Refuses `FILE_EMPTY`, `FILE_TOO_LARGE` (the limit), `FORMAT_UNKNOWN`, `INVALID_ARGUMENT` (a name that is a path or
 * longer than 255 bytes).
 */
export function checkFile(name: string, sizeBytes: number): FileFormat {
  if (!isPlainName(name))
    throw refuse('INVALID_ARGUMENT', { field: 'fileName', expected: 'a name of 1 to 255 bytes without / or \\' });
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw refuse('INVALID_ARGUMENT', { field: 'sizeBytes', expected: 'a size in bytes' });
  if (sizeBytes === 0) throw refuse('FILE_EMPTY');
  if (sizeBytes > LIMITS.fileBytes) throw refuse('FILE_TOO_LARGE', { limitBytes: String(LIMITS.fileBytes) });
  const ending = name.includes('.') ? name.slice(name.lastIndexOf('.') + 1).toLowerCase() : '';
  const format = Object.entries(FILE_FORMATS).find(([known]) => known === ending)?.[1];
  if (format === undefined) throw refuse('FORMAT_UNKNOWN', { known: Object.keys(FILE_FORMATS).join(', ') });
  return format;
}

function isPlainName(name: string): boolean {
  const sizeBytes = new TextEncoder().encode(name).length;
  // Control characters would let a name forge lines where it is shown.
  return sizeBytes > 0 && sizeBytes <= MAX_NAME_BYTES && !/[/\\\p{Cc}]/u.test(name);
}
