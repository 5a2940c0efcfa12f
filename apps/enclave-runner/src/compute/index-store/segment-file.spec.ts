import { beforeAll, describe, expect, it } from '@jest/globals';
import { generateSigningKey } from '@usufruct/crypto';
import { seededRandom, idOf } from '@usufruct/testing';
import type { ContributionId, Digest } from '@usufruct/kernel';
import type { CorpusDocument, IngestedChunk } from '../rag/index.js';
import { proveSegment, sealSegment, type SegmentAbout } from './segment-file.js';

const random = seededRandom('segment');
const signing = generateSigningKey(random);
const sessionKey = new Uint8Array(32).fill(1);
const about: SegmentAbout = {
  contributionId: idOf<ContributionId>('contribution'),
  manifestDigest: idOf<Digest>('manifest'),
  measurement: 'ab'.repeat(48),
};
const chunk: IngestedChunk = {
  ordinal: 0,
  text: 'seventeen amber lanterns',
  startChar: 3,
  endChar: 27,
  headings: ['One', 'Two'],
  locator: 'One › Two',
  place: { page: 4 },
  language: 'en',
  sketch: new Uint32Array(64).fill(7),
};
const document: CorpusDocument = {
  contributionId: about.contributionId,
  fileName: 'lanterns.txt',
  document: { format: 'txt', metadata: { title: 'Lanterns' }, chunks: [chunk] },
};
let bytes: Uint8Array;
beforeAll(async () => {
  bytes = await sealSegment(document, about, { sessionKey, signing, random });
});

describe('a document as it was cut', () => {
  it('is what it was, without sketches, and says who made it', async () => {
    const proven = await proveSegment(bytes, about);
    expect(proven?.signerPublicKey).toEqual(signing.publicKey);
    const { fileName, contributionId, document: found } = await proven!.open(sessionKey);
    expect([fileName, contributionId]).toEqual([document.fileName, document.contributionId]);
    expect(found).toEqual({ ...document.document, chunks: [{ ...chunk, sketch: new Uint32Array() }] });
    expect(Buffer.from(bytes).includes('amber')).toBe(false);
  });

  it('opens under no other key', async () => {
    const proven = await proveSegment(bytes, about);
    await expect(proven!.open(new Uint8Array(32).fill(2))).rejects.toMatchObject({ code: 'ENVELOPE_TAMPERED' });
  });

  it.each<[string, Partial<SegmentAbout>]>([
    ['another contribution', { contributionId: idOf<ContributionId>('other') }],
    ['another manifest', { manifestDigest: idOf<Digest>('other') }],
    ['other code', { measurement: 'cd'.repeat(48) }],
  ])('is none of %s', async (_what, other) => {
    expect(await proveSegment(bytes, { ...about, ...other })).toBeNull();
    // Nor does its header bend.
    const [field, value] = Object.entries(other)[0] as [keyof SegmentAbout, string];
    const bent = Buffer.from(Buffer.from(bytes).toString('latin1').replace(about[field], value), 'latin1');
    expect(bent.equals(bytes)).toBe(false);
    expect(await proveSegment(bent, { ...about, ...other })).toBeNull();
  });

  it('is none with a changed byte, cut, longer or empty', async () => {
    for (let at = 0; at < bytes.length; at += 7) {
      const bent = Uint8Array.from(bytes);
      bent[at]! ^= 1;
      expect([at, await proveSegment(bent, about)]).toEqual([at, null]);
    }
    for (const other of [new Uint8Array(), bytes.slice(0, 90), bytes.slice(0, -1), Uint8Array.of(...bytes, 0)]) {
      expect(await proveSegment(other, about)).toBeNull();
    }
  });

  it('is none of another document, whoever signed it', async () => {
    const other = { ...document, contributionId: idOf<ContributionId>('other') };
    const made = await sealSegment(other, about, { sessionKey, signing, random });
    await expect((await proveSegment(made, about))!.open(sessionKey)).rejects.toThrow('another document');
  });
});
