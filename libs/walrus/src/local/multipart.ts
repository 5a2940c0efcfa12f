import { fromUtf8, refuse } from '@usufruct/kernel';

export interface FormPart {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** RFC 2046 §5.1.1. */
const BOUNDARY = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))\s*(?:;.*)?$/is;
const DISPOSITION = /^content-disposition:\s*form-data\s*(;.*)$/im;
const NAME = /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i;
const CRLF = Buffer.from('\r\n');
const HEADERS_END = Buffer.from('\r\n\r\n');
/** A name may be 64 KiB, as an identifier of a quilt. */
const MOST_HEADER_BYTES = 68 * 1024;

/**
 * The parts of a multipart/form-data body (RFC 7578), as bytes: not as text, which would not give them back. Refuses
 * `MALFORMED_REQUEST` for anything else, and `REQUEST_TOO_LARGE` for more parts than `mostParts`.
 */
export function parseForm(body: Buffer, contentType: string, mostParts: number): FormPart[] {
  const match = BOUNDARY.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) throw malformed();
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter may stand at the very beginning, without a line's end before it.
  const first = delimiter.subarray(CRLF.length);
  let position = body.subarray(0, first.length).equals(first)
    ? first.length
    : afterFound(body.indexOf(delimiter), delimiter);
  const parts: FormPart[] = [];
  while (!body.subarray(position, position + 2).equals(Buffer.from('--'))) {
    const headersStart = endOfLine(body, position);
    const headersEnd = body.indexOf(HEADERS_END, headersStart - CRLF.length);
    const end = body.indexOf(delimiter, headersStart - CRLF.length);
    if (headersEnd === -1 || end === -1 || headersEnd + CRLF.length > end) throw malformed();
    if (headersEnd - headersStart > MOST_HEADER_BYTES) throw malformed();
    if (parts.length === mostParts) throw refuse('REQUEST_TOO_LARGE', { mostParts: String(mostParts) });
    const name = nameIn(fromUtf8(body.subarray(headersStart, Math.max(headersStart, headersEnd)), 'headers'));
    parts.push({ name, bytes: body.subarray(Math.min(end, headersEnd + HEADERS_END.length), end) });
    position = end + delimiter.length;
  }
  return parts;
}

function nameIn(headers: string): string {
  const parameters = DISPOSITION.exec(headers)?.[1];
  const name = parameters === undefined ? null : NAME.exec(parameters);
  const text = name?.[1] ?? name?.[2];
  if (text === undefined) throw malformed();
  return text.replace(/\\(.)/g, '$1');
}

function afterFound(index: number, delimiter: Buffer): number {
  if (index === -1) throw malformed();
  return index + delimiter.length;
}

/** Blanks may follow a boundary (RFC 2046, transport padding). */
function endOfLine(body: Buffer, position: number): number {
  const end = body.indexOf(CRLF, position);
  if (end === -1 || body.subarray(position, end).some((byte) => byte !== 0x20 && byte !== 0x09)) throw malformed();
  return end + CRLF.length;
}

const malformed = (): Error => refuse('MALFORMED_REQUEST', { expected: 'multipart/form-data' });
