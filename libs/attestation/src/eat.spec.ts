import { beforeAll, describe, expect, it } from '@jest/globals';
import { generateSigningKey, type SigningKey } from '@usufruct/crypto';
import { asTimestampMs, failed, passed, skipped, toBase64, toHex32, type Digest, type Hex32 } from '@usufruct/kernel';
import { seededRandom } from '@usufruct/testing';
import { exportEat, signResult, verifySignedResult, zSignedResult, type SignedResult } from './eat.js';
import type { Appraisal } from './types.js';

const NOW_MS = Date.UTC(2026, 5, 1);
const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const GOOD: Appraisal = {
  ok: true,
  checks: [passed('SIGNATURE'), skipped('CONFIG_ID', 'the bundle shows no app compose')],
  claims: {
    profile: 'tdx+nv',
    measurement: 'ab'.repeat(48),
    debug: false,
    hpkePublicKey: bytes(1),
    signingPublicKey: bytes(2),
    evidenceDigest: toHex32<Digest>(bytes(3)),
    endorsedUntilMs: NOW_MS + 900_000,
    standIn: false,
    cpu: { tee: 'tdx', measurement: 'ab'.repeat(48), debug: false, tcbStatuses: ['UpToDate'], advisories: [] },
    gpu: {
      devices: [{ model: 'GH100', driverVersion: '550.144.03', vbiosVersion: '96.00.5E.00.01' }],
      switches: [{ model: 'LS10', biosVersion: '96.10.6D.00.01' }],
    },
    binding: { challenge: '04'.repeat(32), jobId: toHex32<Hex32>(bytes(5)), gpu: true },
  },
  policyDigest: toHex32<Digest>(bytes(6)),
  expiresAtMs: asTimestampMs(NOW_MS + 600_000),
};
const BAD: Appraisal = {
  ok: false,
  checks: [failed('SIGNATURE', 'wrong')],
  policyDigest: GOOD.policyDigest,
  expiresAtMs: asTimestampMs(NOW_MS),
};

describe('a result as an entity attestation token', () => {
  it('has the names and units of RFC 9711, and processor, GPU and binding apart', () => {
    const eat = exportEat(GOOD, NOW_MS);
    expect(eat).toMatchObject({
      // 2026-06-01 is day 20605 after 1970-01-01: 20605 · 86400 s.
      iat: 1_780_272_000,
      exp: 1_780_272_600,
      eat_nonce: Buffer.from('04'.repeat(32), 'hex').toString('base64url'),
      measres: [
        [
          'usufruct-verifier/v1',
          [
            ['SIGNATURE', 'success'],
            ['CONFIG_ID', 'not-run'],
          ],
        ],
      ],
      submods: {
        cpu: { dbgstat: 'disabled-since-boot', usufruct: { tee: 'tdx', tcbStatuses: ['UpToDate'] } },
        'gpu-0': { swversion: ['550.144.03'], usufruct: { model: 'GH100' } },
        'nvswitch-0': { swname: 'bios', swversion: ['96.10.6D.00.01'], usufruct: { model: 'LS10' } },
      },
      usufruct: { ok: true, standIn: false, gpuBound: true, policyDigest: GOOD.policyDigest },
    });
    expect(JSON.parse(JSON.stringify(eat))).toEqual(eat);
  });

  it('claims nothing of bad evidence but its checks', () => {
    const eat = exportEat(BAD, NOW_MS);
    expect(eat.submods).toEqual({});
    expect(eat).not.toHaveProperty('eat_nonce');
    expect(eat.usufruct).toEqual({ ok: false, policyDigest: GOOD.policyDigest });
    expect(eat.measres).toEqual([['usufruct-verifier/v1', [['SIGNATURE', 'fail']]]]);
  });
});

describe('a signed result', () => {
  let key: SigningKey;
  let other: SigningKey;
  let signed: SignedResult;
  beforeAll(async () => {
    key = generateSigningKey(seededRandom('verifier'));
    other = generateSigningKey(seededRandom('another verifier'));
    signed = await signResult(GOOD, NOW_MS, key);
  });
  const check = (result: SignedResult, nowMs = NOW_MS) => verifySignedResult(result, [key.publicKey], nowMs);

  it('gives back what was signed', async () => {
    expect(await check(zSignedResult.parse(signed))).toEqual(exportEat(GOOD, NOW_MS));
  });

  it('is refused from a verifier that nobody named, changed, bad, too late or too early', async () => {
    const refused = { code: 'ATTESTATION_REFUSED' };
    await expect(check(await signResult(GOOD, NOW_MS, other))).rejects.toMatchObject(refused);
    await expect(check({ ...signed, verifier: toBase64(other.publicKey) })).rejects.toMatchObject(refused);
    const changed = toBase64(Buffer.from(JSON.stringify({ ...exportEat(GOOD, NOW_MS), exp: 9_999_999_999 })));
    await expect(check({ ...signed, claims: changed })).rejects.toMatchObject(refused);
    await expect(check(await signResult(BAD, NOW_MS, key))).rejects.toMatchObject(refused);
    await expect(check(signed, NOW_MS + 600_000)).rejects.toMatchObject({ code: 'ATTESTATION_STALE' });
    // As of a time to come, beyond the minute that clocks may differ by.
    expect(await check(signed, NOW_MS - 60_000)).toBeDefined();
    await expect(check(signed, NOW_MS - 60_001)).rejects.toMatchObject({ code: 'ATTESTATION_STALE' });
    await expect(check(signed, Number.NaN)).rejects.toMatchObject({ code: 'ATTESTATION_STALE' });
    await expect(check({ ...signed, signature: '*' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
