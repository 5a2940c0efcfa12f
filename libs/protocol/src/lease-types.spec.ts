import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { asAmount, asTimestampMs, fromHex, toBase64, toHex32, type Hex32 } from '@usufruct/kernel';
import { egressQuorum, EgressTokenBcs, egressTokenDigest, isLetOut, type EgressToken } from './egress-token.js';
import { decodeLeasedKey, encodeLeasedKey, leasedKeyId, leasedShareInfo, type LeasedKey } from './lease-types.js';

const id = <T extends Hex32>(byte: number): T => toHex32<T>(new Uint8Array(32).fill(byte));
const key: LeasedKey = {
  chainId: 'local:test',
  packageId: id(1),
  daoId: id(2),
  datasetId: id(3),
  holderSetId: id(4),
  holderSetVersion: 1,
  keyKind: 'index',
  jobId: id(5),
  purpose: 'DUO:0000042',
  kind: 'rag',
  protection: 'tee',
  pricePerQuestionUnits: asAmount(7n),
  grantSetVersion: id(6),
  expiresAtMs: asTimestampMs(8),
  commitments: [new Uint8Array(32).fill(9), new Uint8Array(32).fill(10)],
  keyCommitment: id(11),
};

describe('a leased key', () => {
  it('is canonical bytes', () => {
    const bytes = encodeLeasedKey(key);
    expect(decodeLeasedKey(bytes)).toEqual(key);
    for (const broken of [
      bytes.slice(1),
      bytes.slice(0, -1),
      Uint8Array.of(...bytes, 0),
      new Uint8Array(),
      new Uint8Array(100_000),
    ]) {
      expect(decodeLeasedKey(broken)).toBeNull();
    }
  });

  it('has another name when anything about it differs', () => {
    const others: Partial<LeasedKey>[] = [
      {},
      { chainId: 'local:other' },
      { packageId: id(99) },
      { daoId: id(99) },
      { datasetId: id(99) },
      { holderSetId: id(99) },
      { holderSetVersion: 2 },
      { keyKind: 'checkpoint' },
      { jobId: id(99) },
      { purpose: 'DUO:0000006' },
      { kind: 'train' },
      { protection: 'mpc' },
      { pricePerQuestionUnits: asAmount(8n) },
      { grantSetVersion: id(99) },
      { expiresAtMs: asTimestampMs(9) },
      { commitments: key.commitments.toReversed() },
      { keyCommitment: id(99) },
    ];
    const names = others.map((change) => leasedKeyId(encodeLeasedKey({ ...key, ...change })));
    expect(new Set(names).size).toBe(others.length);
  });

  it('is sealed for one lease: every part of it is in the info', () => {
    const info = {
      chainId: 'local:test',
      packageId: id<Hex32>(1),
      policyDigest: id<never>(2),
      challenge: new Uint8Array(32),
      jobId: id<never>(3),
      keyId: id<never>(4),
      leasedUntilMs: asTimestampMs(5),
    };
    const others = [
      info,
      { ...info, chainId: 'x' },
      { ...info, packageId: id<Hex32>(9) },
      { ...info, policyDigest: id<never>(9) },
      { ...info, challenge: new Uint8Array(32).fill(1) },
      { ...info, jobId: id<never>(9) },
      { ...info, keyId: id<never>(9) },
      { ...info, leasedUntilMs: asTimestampMs(6) },
    ];
    expect(new Set(others.map((one) => toBase64(leasedShareInfo(one)))).size).toBe(others.length);
  });
});

describe('leave to let an output out', () => {
  const setOf = (count: number, threshold: number, retired: readonly number[] = []) => {
    const members = Array.from({ length: count }, (_, i) => ({
      operator: id<never>(i + 1),
      signingPublicKey: toBase64(new Uint8Array(32).fill(i + 1)),
      sealingPublicKey: toBase64(new Uint8Array(32).fill(i + 1)),
    }));
    const tombstonedKeys = retired.map((i) => members[i]!.signingPublicKey);
    return { id: id<never>(4), members, threshold, version: 1, tombstonedKeys };
  };
  const token: EgressToken = {
    chainId: 'local:test',
    packageId: id(1),
    daoId: id(2),
    holderSetId: id(4),
    jobId: id(5),
    outputKind: 'model',
    outputDigest: id(6),
  };
  /** A stand-in for Ed25519 that is a hash of key, tag and message: what is counted is under test here. */
  const signatureOf = (publicKey: Uint8Array, domainTag: string, message: Uint8Array): Uint8Array =>
    createHash('sha256').update(publicKey).update(domainTag).update(message).digest();
  const verify = async (signed: {
    publicKey: Uint8Array;
    domainTag: string;
    message: Uint8Array;
    signature: Uint8Array;
  }) => {
    if (signed.signature.length !== 32) throw new TypeError('not a signature');
    return Buffer.from(signatureOf(signed.publicKey, signed.domainTag, signed.message)).equals(signed.signature);
  };
  const by = (member: number, of = token) => ({
    member,
    signature: toBase64(
      signatureOf(
        new Uint8Array(32).fill(member + 1),
        'usufruct/egress-token/v1',
        EgressTokenBcs.serialize(of).toBytes(),
      ),
    ),
  });

  it.each([
    [1, 1, 1],
    [3, 1, 2],
    [3, 2, 3],
    [4, 2, 3],
    [5, 2, 4],
    [5, 3, 4],
    [7, 3, 5],
    [7, 7, 7],
  ])('of %i members with threshold %i takes %i', (count, threshold, expected) => {
    const quorum = egressQuorum(setOf(count, threshold));
    expect(quorum).toBe(expected);
    // Two groups of so many share a threshold of members.
    expect(2 * quorum - count).toBeGreaterThanOrEqual(Math.min(threshold, count));
  });

  it('is given by enough living members, each once', async () => {
    const set = setOf(5, 3);
    expect(
      await isLetOut(
        token,
        [0, 1, 2, 3].map((member) => by(member)),
        set,
        verify,
      ),
    ).toBe(true);
    expect(
      await isLetOut(
        token,
        [0, 1, 2].map((member) => by(member)),
        set,
        verify,
      ),
    ).toBe(false);
    expect(
      await isLetOut(
        token,
        [0, 1, 2, 2].map((member) => by(member)),
        set,
        verify,
      ),
    ).toBe(false);
    expect(
      await isLetOut(
        token,
        [0, 1, 2, 9].map((member) => by(member)),
        set,
        verify,
      ),
    ).toBe(false);
    expect(await isLetOut(token, [by(0), by(1), by(2), { member: 3, signature: '' }], set, verify)).toBe(false);
    expect(await isLetOut(token, [by(0), by(1), by(2), by(3)], setOf(5, 3, [3]), verify)).toBe(false);
    const other = { ...token, outputDigest: id<never>(7) };
    expect(await isLetOut(token, [by(0), by(1), by(2), by(3, other)], set, verify)).toBe(false);
    expect(
      await isLetOut(
        { ...token, holderSetId: id(9) },
        [0, 1, 2, 3].map((member) => by(member)),
        set,
        verify,
      ),
    ).toBe(false);
  });

  it('is for one output', () => {
    const digests = [
      token,
      { ...token, outputDigest: id<never>(7) },
      { ...token, jobId: id<never>(7) },
      { ...token, outputKind: 'statistics' as const },
    ];
    expect(new Set(digests.map(egressTokenDigest)).size).toBe(4);
    expect(fromHex(egressTokenDigest(token))).toHaveLength(32);
  });
});
