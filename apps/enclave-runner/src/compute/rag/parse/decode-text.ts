import { broken } from './refusal.js';

/**
 * Text of bytes whose encoding is certain: UTF-8, with or without a byte order mark; UTF-16, with one; else the one
 * that the document itself declares (`declared`, a label of the Encoding Standard). Nothing is guessed: what is none
 * of these, holds NUL, or is not well-formed is `FORMAT_BROKEN`.
 */
export function decodeText(bytes: Uint8Array, declared?: string): string {
  const mark = encodingOfMark(bytes);
  const text = decoded(bytes, mark ?? 'utf-8') ?? (mark === null && declared ? decoded(bytes, declared) : null);
  if (text === null || text.includes('\0')) throw broken('text in UTF-8, or UTF-16 with a byte order mark');
  return text;
}

function encodingOfMark(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return null;
}

function decoded(bytes: Uint8Array, label: string): string | null {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The `charset` that an HTML page declares in its first KiB (HTML §13.2.3.2); undefined where it does not. */
export function charsetOfHtml(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 1024));
  return /<meta\b[^>]{0,200}?charset\s*=\s*["']?([A-Za-z0-9_:.-]{1,40})/i.exec(head)?.[1];
}
