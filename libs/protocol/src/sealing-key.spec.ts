import { createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { asTimestampMs, toBase64, toHex32, type Hex32 } from '@usufruct/kernel';
import { LIMITS } from './limits.js';
import {
  decodeSealingKey,
  encodeSealingKey,
  requireSealingKey,
  SEALING_KEY_CHECKS,
  type SealingKeyCheck,
  type SealingKeyExpected,
  type SealingKeyStatement,
  type SignedSealingKey,
} from './sealing-key.js';

const id = (byte: number): Hex32 => toHex32(new Uint8Array(32).fill(byte));
const NOW = asTimestampMs(Date.UTC(2026, 5, 1));
const DAY = 24 * 60 * 60_000;

/** Node's Ed25519, and the tag and framing written out: independent of our own signing. */
const TAG = 'usufruct/sealing-key/v1';
const framed = (message: Uint8Array): Buffer => {
  const lengthOf = (length: number): Buffer => {
    const four = Buffer.alloc(4);
    four.writeUInt32LE(length);
    return four;
  };
  return Buffer.concat([lengthOf(TAG.length), Buffer.from(TAG), lengthOf(message.length), message]);
};
const rawOf = (key: KeyObject): Uint8Array =>
  Uint8Array.from(key.export({ format: 'der', type: 'spki' }).subarray(-32));
const SPKI = Buffer.from('302a300506032b6570032100', 'hex'); // RFC 8410: Ed25519, before the 32 bytes
const holder = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');

const statement: SealingKeyStatement = {
  chainId: 'local:test',
  packageId: id(1),
  holderSigningKey: rawOf(holder.publicKey),
  publicKey: new Uint8Array(32).fill(9),
  notBeforeMs: NOW,
  notAfterMs: asTimestampMs(NOW + DAY),
};
const signed = (changes: Partial<SealingKeyStatement> = {}, by = holder.privateKey): SignedSealingKey => {
  const bytes = encodeSealingKey({ ...statement, ...changes });
  return { statement: toBase64(bytes), signature: toBase64(Uint8Array.from(sign(null, framed(bytes), by))) };
};
const expected: SealingKeyExpected = {
  member: {
    operator: id(7) as never,
    signingPublicKey: toBase64(rawOf(holder.publicKey)),
    sealingPublicKey: toBase64(new Uint8Array(32).fill(8)),
  },
  chainId: 'local:test',
  packageId: id(1),
  nowMs: NOW,
  verify: async ({ publicKey, domainTag, message, signature }) => {
    expect(domainTag).toBe(TAG);
    const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' });
    return verify(null, framed(message), key, signature);
  },
};
const at = (nowMs: number): SealingKeyExpected => ({ ...expected, nowMs: asTimestampMs(nowMs) });
const SKEW = LIMITS.clockSkewMs;

describe("a holder's word about the key to seal to", () => {
  it('is canonical bytes', () => {
    const bytes = encodeSealingKey(statement);
    expect(decodeSealingKey(bytes)).toEqual(statement);
    for (const broken of [bytes.slice(1), bytes.slice(0, -1), Uint8Array.of(...bytes, 0), new Uint8Array()]) {
      expect(decodeSealingKey(broken)).toBeNull();
    }
    expect(decodeSealingKey(encodeSealingKey({ ...statement, chainId: 'x'.repeat(600) }))).toBeNull();
  });

  it.each([
    ['at its beginning', NOW],
    ['where our clock is behind by no more than clocks may differ', NOW - SKEW],
    ['until its end', NOW + DAY - 1],
    ['where our clock is ahead by less than clocks may differ', NOW + DAY + SKEW - 1],
  ])('gives the key %s', async (_when, nowMs) => {
    expect((await requireSealingKey(signed(), at(nowMs))).publicKey).toEqual(statement.publicKey);
  });

  it('of a week is the longest', async () => {
    const notAfterMs = asTimestampMs(NOW + 7 * DAY);
    await expect(requireSealingKey(signed({ notAfterMs }), expected)).resolves.toMatchObject({ notAfterMs });
  });

  const other = rawOf(stranger.publicKey);
  const rows: [SealingKeyCheck, string, SignedSealingKey, SealingKeyExpected?][] = [
    ['form', 'no statement', { ...signed(), statement: 'AAAA' }],
    ['form', 'a key of another length', signed({ publicKey: new Uint8Array(31) })],
    ['holder', 'of another holder, by its own key', signed({ holderSigningKey: other }, stranger.privateKey)],
    ['holder', 'of another holder, by this one', signed({ holderSigningKey: other })],
    ['signature', 'by another holder in its name', signed({}, stranger.privateKey)],
    ['signature', 'no signature', { ...signed(), signature: '' }],
    ['signature', 'the signature of another key', { ...signed({ publicKey: other }), statement: signed().statement }],
    ['chain', 'of another chain', signed({ chainId: 'sui:mainnet' })],
    ['package', 'of another package', signed({ packageId: id(2) })],
    ['on-chain-key', 'the key on the chain', signed({ publicKey: new Uint8Array(32).fill(8) })],
    ['term', 'for longer than a week', signed({ notAfterMs: asTimestampMs(NOW + 7 * DAY + 1) })],
    ['term', 'for no time', signed({ notAfterMs: NOW })],
    ['term', 'for a time that ends before it begins', signed({ notAfterMs: asTimestampMs(NOW - 1) })],
    ['not-yet', 'not in force yet', signed(), at(NOW - SKEW - 1)],
    ['expired', 'not in force any more', signed(), at(NOW + DAY + SKEW)],
  ];
  it.each(rows)('is refused by the check %s: %s', async (check, _name, shown, by = expected) => {
    await expect(requireSealingKey(shown, by)).rejects.toMatchObject({
      code: 'SEALING_KEY_INVALID',
      details: { holder: expected.member.signingPublicKey, check },
    });
  });

  it('is refused by each check in some row', () => {
    expect([...new Set(rows.map(([check]) => check))]).toEqual([...SEALING_KEY_CHECKS]);
  });
});
