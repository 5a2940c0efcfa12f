import { concatBytes, fromBase64, fromUtf8, toBase64 } from '@usufruct/kernel';

const BEGIN = '-----BEGIN CERTIFICATE-----\n';
const END = '-----END CERTIFICATE-----\n';
const LINE = 64;
const CERTIFICATES_AT_MOST = 8;
const PEM_BYTES_AT_MOST = 64 * 1024;

/**
 * The certificates of a PEM text (RFC 7468 §2, its strict grammar with lines of 64 characters and LF), as DER. Null if
 * the text is not exactly what these certificates encode to: anything before, between or after the blocks, another line
 * length, spare bits in the base64. One list of certificates therefore has one text, and no byte of it is unread.
 */
export function parsePemChain(pem: Uint8Array): Uint8Array[] | null {
  if (pem.length === 0 || pem.length > PEM_BYTES_AT_MOST) return null;
  try {
    const text = fromUtf8(pem);
    const blocks = text.split(END).slice(0, -1);
    if (blocks.length === 0 || blocks.length > CERTIFICATES_AT_MOST) return null;
    const ders = blocks.map((block) => fromBase64(block.slice(BEGIN.length).replaceAll('\n', '')));
    return encodePemChain(ders) === text ? ders : null;
  } catch {
    return null;
  }
}

export const encodePemChain = (ders: readonly Uint8Array[]): string =>
  ders.map((der) => `${BEGIN}${linesOf(toBase64(concatBytes(der)))}${END}`).join('');

function linesOf(base64: string): string {
  let lines = '';
  for (let at = 0; at < base64.length; at += LINE) lines += `${base64.slice(at, at + LINE)}\n`;
  return lines;
}

/**
 * The certificates of a text that others wrote: any line length, CRLF, spaces and comments around the blocks. What was
 * read is to be written anew by `encodePemChain`; the signatures decide what it is worth. Null if there is no block, or
 * one that is not base64.
 */
export function readPemLoosely(text: string): Uint8Array[] | null {
  if (text.length > PEM_BYTES_AT_MOST) return null;
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0 || blocks.length > CERTIFICATES_AT_MOST) return null;
  try {
    return blocks.map(([, base64 = '']) => fromBase64(base64.replaceAll(/\s/g, '')));
  } catch {
    return null;
  }
}
