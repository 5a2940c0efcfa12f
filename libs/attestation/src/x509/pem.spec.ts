import { describe, expect, it } from '@jest/globals';
import { utf8 } from '@usufruct/kernel';
import { encodePemChain, parsePemChain } from './pem.js';

const DER = Uint8Array.from({ length: 100 }, (_, i) => i);
const TEXT = encodePemChain([DER, DER.subarray(0, 96)]);

describe('strict PEM', () => {
  it('reads back what it wrote, in the form of RFC 7468', () => {
    expect(parsePemChain(utf8(TEXT))).toEqual([DER, DER.subarray(0, 96)]);
    const lines = TEXT.split('\n');
    expect(lines[0]).toBe('-----BEGIN CERTIFICATE-----');
    expect(lines[1]).toBe(Buffer.from(DER).toString('base64').slice(0, 64));
    expect(lines[1]).toHaveLength(64);
  });

  const rows: [string, string][] = [
    ['nothing', ''],
    ['text before', ` ${TEXT}`],
    ['text between', TEXT.replace('-----END CERTIFICATE-----\n', '-----END CERTIFICATE-----\n\n')],
    ['text behind', `${TEXT}\n`],
    ['no line end at the end', TEXT.slice(0, -1)],
    ['CRLF', TEXT.replaceAll('\n', '\r\n')],
    ['one long line', TEXT.replace(/([A-Za-z0-9+/]{64})\n/, '$1')],
    ['spare bits in the base64', TEXT.replace('w==', 'x==')],
    ['another label', TEXT.replaceAll('CERTIFICATE', 'CERTIFICATES')],
    ['nine certificates', encodePemChain(Array.from({ length: 9 }, () => DER))],
    ['an absurd size', encodePemChain([new Uint8Array(60_000)])],
  ];
  it.each(rows)('refuses %s', (_name, text) => {
    expect(text).not.toBe(TEXT);
    expect(parsePemChain(utf8(text))).toBeNull();
  });
});
