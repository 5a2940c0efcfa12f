import { beforeAll, describe, expect, it } from '@jest/globals';
import { generateSigningKey } from '@usufruct/crypto';
import { fromBase64, fromUtf8, systemRandom, toBase64, utf8 } from '@usufruct/kernel';
import { createHash } from 'node:crypto';
import { context, good, goodEndorsements, NOW_MS, startTdxWorld } from '../../../test/support/tdx-world.js';
import { recordAppraisal, verifyAppraisalRecord, type AppraisalRecord } from './appraisal-record.js';
import { appraiseEvidence } from './appraise.js';
import type { Appraisal, Endorsements } from './types.js';

const KEYS = utf8('{"keys":[]}');
const key = generateSigningKey(systemRandom);

describe('what a verifier keeps of an appraisal', () => {
  let result: Appraisal;
  let endorsements: Endorsements;
  let record: AppraisalRecord;
  beforeAll(async () => {
    await startTdxWorld();
    endorsements = { ...goodEndorsements, 'nvidia/nras/jwks.json': KEYS };
    result = await appraiseEvidence(good, context);
    record = await recordAppraisal({ result, endorsements }, NOW_MS, key);
  });
  const read = (value: object, verifiers = [key.publicKey], nowMs = NOW_MS) =>
    verifyAppraisalRecord(JSON.stringify(value), verifiers, nowMs);

  it('is its signed result, with the digest of everything that it rested on', async () => {
    const { usufruct } = await read(record);
    const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    const expected = Object.entries(endorsements).map(([name, bytes]) => [name, digest(bytes)]);
    expect(Object.entries(usufruct['endorsements'] as object).toSorted()).toEqual(expected.toSorted());
    expect(expected.length).toBeGreaterThan(4);
    expect(usufruct).toMatchObject({ ok: true, standIn: true, policyDigest: result.policyDigest });
  });

  it('holds the keys that nobody can have again, and nothing where there were none', async () => {
    expect(fromUtf8(fromBase64(record.serviceKeys ?? ''))).toBe(fromUtf8(KEYS));
    expect(await recordAppraisal({ result, endorsements: goodEndorsements }, NOW_MS, key)).not.toHaveProperty(
      'serviceKeys',
    );
  });

  it('is refused with other keys than the signed result names, or without them', async () => {
    const refused = { code: 'ATTESTATION_REFUSED', details: { checks: 'SERVICE_KEYS' } };
    const { serviceKeys: _keys, ...without } = record;
    await expect(read({ ...record, serviceKeys: toBase64(utf8('{"keys":[1]}')) })).rejects.toMatchObject(refused);
    await expect(read(without)).rejects.toMatchObject(refused);
    const plain = await recordAppraisal({ result, endorsements: goodEndorsements }, NOW_MS, key);
    await expect(read({ ...plain, serviceKeys: toBase64(KEYS) })).rejects.toMatchObject(refused);
  });

  it('is refused of another verifier, too late, or of bad evidence', async () => {
    const other = generateSigningKey(systemRandom);
    await expect(read(record, [other.publicKey])).rejects.toMatchObject({ code: 'ATTESTATION_REFUSED' });
    await expect(read(record, [])).rejects.toMatchObject({ code: 'ATTESTATION_REFUSED' });
    await expect(read(record, [key.publicKey], NOW_MS + 600_000)).rejects.toMatchObject({ code: 'ATTESTATION_STALE' });
    const refused = await appraiseEvidence(good, { ...context, ownChallenge: new Uint8Array(32) });
    const bad = await recordAppraisal({ result: refused, endorsements }, NOW_MS, key);
    await expect(read(bad)).rejects.toMatchObject({ code: 'ATTESTATION_REFUSED' });
  });

  it.each([
    ['no JSON', '{'],
    ['another format', JSON.stringify({ format: 'usufruct/appraisal-record/v2' })],
    ['a field too many', JSON.stringify({ format: 'usufruct/appraisal-record/v1', signed: {}, more: 1 })],
  ])('is no record: %s', async (_name, text) => {
    await expect(verifyAppraisalRecord(text, [key.publicKey], NOW_MS)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
