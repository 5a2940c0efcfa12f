import { beforeAll, describe, expect, it } from '@jest/globals';
import { issueAuthority, issueCrl, type DevAuthority } from '@usufruct/attestation-dev';
import { concatBytes } from '@usufruct/kernel';
import { parseCertificate, type Certificate } from './certificate.js';
import { isCrlSignedBy, parseCrl } from './crl.js';
import { parseDer } from './der.js';

const NOW_MS = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;

describe('a revocation list', () => {
  let authority: DevAuthority;
  let revoked: DevAuthority;
  let issuer: Certificate;
  let der: Uint8Array;
  beforeAll(async () => {
    [authority, revoked] = (await Promise.all(
      ['CA', 'leaf'].map((commonName) => issueAuthority({ commonName, isCa: true, nowMs: NOW_MS })),
    )) as [DevAuthority, DevAuthority];
    issuer = parseCertificate(authority.der)!;
    der = await issueCrl({ issuer: authority, nowMs: NOW_MS, revoked: [revoked] });
  });

  it('says what its generator was told', async () => {
    const list = parseCrl(der)!;
    expect(list.issuer).toBe(issuer.subject);
    expect([...list.revoked]).toEqual([parseCertificate(revoked.der)!.serial]);
    expect([list.thisUpdateMs, list.nextUpdateMs]).toEqual([NOW_MS - DAY_MS, NOW_MS + 30 * DAY_MS]);
    expect(await isCrlSignedBy(list, issuer, 'ecdsa-p256-sha256')).toBe(true);
    expect(await isCrlSignedBy(list, issuer, 'rsa-pss-sha384')).toBe(false);
  });

  it('reads dates beyond 2049', async () => {
    const late = await issueCrl({ issuer: authority, nowMs: Date.UTC(2051, 0, 1) });
    expect(parseCrl(late)?.nextUpdateMs).toBe(Date.UTC(2051, 0, 31));
  });

  it('is refused with any byte flipped', async () => {
    for (let at = 0; at < der.length; at += 1) {
      const list = parseCrl(der.with(at, der[at]! ^ (1 << (at % 8))));
      expect({ at, ok: list !== null && (await isCrlSignedBy(list, issuer, 'ecdsa-p256-sha256')) }).toEqual({
        at,
        ok: false,
      });
    }
  });

  it('has one encoding: a number of its signature that runs into the other is refused', async () => {
    const long = await issueCrl({
      issuer: authority,
      nowMs: NOW_MS,
      revoked: Array.from({ length: 9 }, (_, i) => ({ ...revoked, serial: `10${'00'.repeat(7)}0${i}` })),
    });
    const [signed, algorithm, bits] = parseDer(long)!.children;
    // One number in some hundreds begins with a zero byte, which DER leaves out.
    const [r, s] = parseDer(bits!.contents.subarray(1))!.children.map(({ contents }) =>
      concatBytes(new Uint8Array(32), contents).subarray(-32),
    );
    // s takes the last byte of r: written one after the other they would be the right 64 bytes.
    const number = (digits: Uint8Array) => {
      const padded = digits[0]! >= 0x80 ? concatBytes(Uint8Array.of(0), digits) : digits;
      return concatBytes(Uint8Array.of(2, padded.length), padded);
    };
    const pair = concatBytes(number(r!.with(31, 7)), number(concatBytes(r!.subarray(31), s!)));
    const signature = concatBytes(Uint8Array.of(0, 0x30, pair.length), pair);
    const inner = concatBytes(signed!.bytes, algorithm!.bytes, Uint8Array.of(3, signature.length), signature);
    expect(inner.length).toBeGreaterThan(255);
    const list = parseCrl(concatBytes(Uint8Array.of(0x30, 0x82, inner.length >> 8, inner.length & 0xff), inner));
    // Where r begins with a zero byte, or ends with one, a number would not be minimal, and nothing is read at all.
    expect(list !== null && (await isCrlSignedBy(list, issuer, 'ecdsa-p256-sha256'))).toBe(false);
  });
});
