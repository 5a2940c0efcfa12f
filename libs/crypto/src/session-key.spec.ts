import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { toHex, utf8 } from '@usufruct/kernel';
import { deriveSessionKey, keyCommitment } from './session-key.js';

const secret = new Uint8Array(32).fill(7);
const context = utf8('contribution');
/** u32 little-endian length before each part, written out by hand. */
const info = Buffer.concat([
  Buffer.from([3, 0, 0, 0]),
  Buffer.from('tag'),
  Buffer.from([12, 0, 0, 0]),
  Buffer.from('contribution'),
]);

describe('deriveSessionKey', () => {
  it('is HKDF-SHA256 with empty salt over the length-prefixed tag and context', () => {
    const expected = Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), info, 32)).toString('hex');
    expect(toHex(deriveSessionKey({ domainTag: 'tag', secret, context }))).toBe(expected);
  });

  it.each([
    ['another tag', { domainTag: 'gat', secret, context }],
    ['another context', { domainTag: 'tag', secret, context: utf8('contributioN') }],
    ['another secret', { domainTag: 'tag', secret: new Uint8Array(32).fill(8), context }],
    // The border between tag and context moves by one byte: the length prefix must tell them apart.
    ['a moved border', { domainTag: 'tagc', secret, context: utf8('ontribution') }],
  ])('gives another key for %s', (_name, params) => {
    expect(deriveSessionKey(params)).not.toEqual(deriveSessionKey({ domainTag: 'tag', secret, context }));
  });

  it.each([0, 31, 33])('refuses a secret of %i bytes', (length) => {
    const short = () => deriveSessionKey({ domainTag: 'tag', secret: new Uint8Array(length), context });
    expect(short).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { field: 'secret', expected: '32 bytes' } }),
    );
  });
});

describe('keyCommitment', () => {
  const sessionKey = deriveSessionKey({ domainTag: 'tag', secret, context });

  it('binds the key, the tag and the context', () => {
    const all = [
      keyCommitment({ domainTag: 'c', sessionKey, context }),
      keyCommitment({ domainTag: 'd', sessionKey, context }),
      keyCommitment({ domainTag: 'c', sessionKey: secret, context }),
      keyCommitment({ domainTag: 'c', sessionKey, context: utf8('other') }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('refuses a key of another length', () => {
    expect(() => keyCommitment({ domainTag: 'c', sessionKey: new Uint8Array(16), context })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
