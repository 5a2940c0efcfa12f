import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { toBase64, toHex, toHex32, type JobId } from '@usufruct/kernel';
import fc from 'fast-check';
import { evidenceDigest, TAGS, zEvidenceBundle, type EvidenceBundle } from './index.js';

const bytes = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);
const base64 = (fill: number, length?: number): string => toBase64(bytes(fill, length));
const BUNDLE: EvidenceBundle = {
  v: 1,
  profile: 'tdx+nv',
  challenges: [base64(1), base64(2)],
  jobId: toHex32<JobId>(bytes(3)),
  hpkePublicKey: base64(4),
  signingPublicKey: base64(5),
  cpuEvidence: base64(6, 600),
  eventLog: [{ name: 'image-digest', payload: base64(7), digest: '08'.repeat(48) }],
  appCompose: '{}',
  gpuEvidence: [base64(9, 700), base64(10, 800)],
  gpuToken: [['JWT', 'a.b.c'], { 'GPU-0': 'd.e.f' }],
};

/** Every part with its length as u32 little-endian before it, made without the code under test. */
const frame = (...parts: readonly (Uint8Array | string)[]): Buffer =>
  Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(part));
      return [length, Buffer.from(part)];
    }),
  );

describe('the digest of evidence', () => {
  it('is there for everything that can arrive: a token too deep or too wide to be walked does not', () => {
    const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
    const isRead = (gpuToken: unknown): boolean => zEvidenceBundle.safeParse({ ...BUNDLE, gpuToken }).success;
    expect([8, 9, 100_000].map((levels) => isRead(nested(levels)))).toEqual([true, false, false]);
    expect(isRead({ a: { b: nested(7) } })).toBe(false);
    const wide = (members: number): unknown => Array.from({ length: members }, () => 'x');
    expect([wide(32), wide(33), { ...(wide(33) as string[]) }].map(isRead)).toEqual([true, false, false]);
    expect([undefined, null, 'text', { 'GPU-0': 'a.b.c' }].map(isRead)).toEqual([true, true, true, true]);
  });

  it('is SHA-256 over everything that is read of it', () => {
    const message = frame(
      TAGS.evidence,
      'tdx+nv',
      frame(bytes(1), bytes(2)),
      bytes(3),
      bytes(4),
      bytes(5),
      bytes(6, 600),
      frame(frame('image-digest', bytes(7), bytes(8, 48))),
      frame('{}'),
      frame(bytes(9, 700), bytes(10, 800)),
      frame('[["JWT","a.b.c"],{"GPU-0":"d.e.f"}]'),
    );
    expect(evidenceDigest(BUNDLE)).toBe(`0x${createHash('sha256').update(message).digest('hex')}`);
  });

  const { appCompose: _c, gpuToken: _t, gpuEvidence: _g, ...bare } = BUNDLE;
  const [event] = BUNDLE.eventLog;
  const changed: readonly [string, EvidenceBundle][] = [
    ['another profile', { ...BUNDLE, profile: 'tdx' }],
    ['a challenge more', { ...BUNDLE, challenges: [...BUNDLE.challenges, base64(3)] }],
    ['challenges in another order', { ...BUNDLE, challenges: BUNDLE.challenges.toReversed() }],
    ['another job', { ...BUNDLE, jobId: toHex32<JobId>(bytes(30)) }],
    ['another HPKE key', { ...BUNDLE, hpkePublicKey: base64(40) }],
    ['another signing key', { ...BUNDLE, signingPublicKey: base64(50) }],
    ['another quote', { ...BUNDLE, cpuEvidence: base64(60, 600) }],
    ['no event', { ...BUNDLE, eventLog: [] }],
    ['an event twice', { ...BUNDLE, eventLog: [event!, event!] }],
    ['another name of an event', { ...BUNDLE, eventLog: [{ ...event!, name: 'image-digesu' }] }],
    ['another payload of an event', { ...BUNDLE, eventLog: [{ ...event!, payload: base64(70) }] }],
    ['another digest of an event', { ...BUNDLE, eventLog: [{ ...event!, digest: '09'.repeat(48) }] }],
    ['another app compose', { ...BUNDLE, appCompose: '{"a":1}' }],
    ['an empty app compose', { ...BUNDLE, appCompose: '' }],
    ['another GPU', { ...BUNDLE, gpuEvidence: [base64(9, 700), base64(11, 800)] }],
    ['a GPU less', { ...BUNDLE, gpuEvidence: [base64(9, 700)] }],
    ['GPUs in another order', { ...BUNDLE, gpuEvidence: BUNDLE.gpuEvidence!.toReversed() }],
    ['another token', { ...BUNDLE, gpuToken: [['JWT', 'a.b.d'], { 'GPU-0': 'd.e.f' }] }],
    ['a token of null', { ...BUNDLE, gpuToken: null }],
    ['nothing that may be left out', bare],
  ];
  it.each(changed)('is another one with %s', (_name, bundle) => {
    expect(evidenceDigest(bundle)).not.toBe(evidenceDigest(BUNDLE));
  });
  it('is another one for each of them', () => {
    expect(new Set(changed.map(([, bundle]) => evidenceDigest(bundle))).size).toBe(changed.length);
  });

  it('cannot be had by moving parts from one list into the next', () => {
    // With the fields only strung together, all of these would be the same bytes.
    const [a, b, c, d, e] = [1, 2, 3, 4, 5].map((fill) => bytes(fill)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const of = (challenges: Uint8Array[], [job, hpke, signing, cpu]: Uint8Array[], gpus: Uint8Array[]) =>
      evidenceDigest({
        v: 1,
        profile: 'tdx',
        challenges: challenges.map((one) => toBase64(one)),
        jobId: toHex32<JobId>(job!),
        hpkePublicKey: toBase64(hpke!),
        signingPublicKey: toBase64(signing!),
        cpuEvidence: toBase64(cpu!),
        eventLog: [],
        gpuEvidence: gpus.map((one) => toBase64(one)),
      });
    expect(of([a, b], [c, d, e, a], [b])).not.toBe(of([a], [b, c, d, e], [a, b]));
    expect(of([a, b, c], [d, e, a, b], [])).not.toBe(of([a, b], [c, d, e, a], [b]));
  });

  it('is the same on both ends of the wire', () => {
    const aToken = fc.option(fc.jsonValue(), { nil: undefined });
    const anEvent = fc.record({
      name: fc.stringMatching(/^[!-9;-~]{1,16}$/),
      payload: fc.uint8Array({ maxLength: 64 }).map((payload) => toBase64(payload)),
      digest: fc.uint8Array({ minLength: 48, maxLength: 48 }).map((digest) => toHex(digest)),
    });
    fc.assert(
      fc.property(aToken, fc.array(anEvent, { maxLength: 3 }), fc.boolean(), (gpuToken, eventLog, isBare) => {
        const bundle: EvidenceBundle = { ...(isBare ? bare : BUNDLE), eventLog };
        const sent = gpuToken === undefined ? bundle : { ...bundle, gpuToken };
        const received = zEvidenceBundle.parse(JSON.parse(JSON.stringify(sent, null, 2)));
        expect(evidenceDigest(received)).toBe(evidenceDigest(sent));
      }),
      { seed: 20_260_601, numRuns: 200 },
    );
  });
});
