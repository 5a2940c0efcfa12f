import { fromUtf8, refuse, utf8 } from '@usufruct/kernel';
import { malformed } from './format.js';

/** §5.9: one octet of length. */
const MAX_NAME_BYTES = 255;
/** Path separators and control characters have no place in a name that another machine may show or write. */
const FORBIDDEN = /[/\\\p{Cc}]/u;

export function encodeFileName(fileName: string): Uint8Array {
  const bytes = utf8(fileName);
  if (bytes.length > MAX_NAME_BYTES || FORBIDDEN.test(fileName) || !fileName.isWellFormed()) {
    throw refuse('INVALID_ARGUMENT', {
      field: 'fileName',
      expected: `at most ${MAX_NAME_BYTES} bytes of UTF-8 without path separators and control characters`,
    });
  }
  return bytes;
}

export function decodeFileName(bytes: Uint8Array): string {
  const fileName = decodeText(bytes);
  if (FORBIDDEN.test(fileName)) throw malformed('file name with a path separator or control character');
  return fileName;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch {
    throw malformed('file name is not UTF-8');
  }
}
