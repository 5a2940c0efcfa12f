import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { asAmount, asId, asTimestampMs, asWeight, toHex32, UsufructError, utf8, type Hex32 } from '@usufruct/kernel';
import {
  combineChallenges,
  decodeLocalTransaction,
  decodeManifest,
  deriveId,
  encodeLocalTransaction,
  encodeManifest,
  heldKeys,
  parseAt,
  reportData,
  TAGS,
  taggedDigest,
  toWireJson,
  usesCommitment,
  UsesBcs,
  walletStatementText,
  zAmount,
  zHex32,
  zTimestampMs,
  type ChainAction,
  type HeldKeys,
  type Manifest,
  type SealedKeys,
} from './index.js';

const id = <T extends Hex32>(byte: number): T => toHex32<T>(new Uint8Array(32).fill(byte));
const frame = (...parts: (Uint8Array | string)[]): Buffer =>
  Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof UsufructError ? error.code : 'not ours';
  }
  return 'accepted';
};

const heldBy = (change: Partial<HeldKeys> = {}): HeldKeys => ({
  kind: 'holders',
  threshold: 2,
  holderCount: 3,
  commitments: [new Uint8Array(32).fill(8), new Uint8Array(32).fill(9)],
  ...change,
});
const sealedBy = (change: Partial<SealedKeys> = {}): SealedKeys => ({
  kind: 'seal',
  threshold: 2,
  keyServers: [id(20), id(21), id(22)],
  encryptedSecret: new Uint8Array(300).fill(12),
  ...change,
});
const manifest = (change: Partial<Manifest> = {}): Manifest => ({
  version: 1,
  chainId: 'local:0a0b0c0d',
  datasetId: id(1),
  contributionId: id(2),
  owner: id(3),
  salt: id(4),
  holderSetId: id(5),
  keys: heldBy(),
  parts: [{ blob: id(6), sha256: id(7), sizeBytes: 4096 }],
  keyCommitment: id(10),
  policyDigest: id(11),
  createdAtMs: asTimestampMs(1_700_000_000_000),
  ...change,
});

describe('digests and ids', () => {
  it('hashes the tag and every part with its length (computed here with Node)', () => {
    expect(taggedDigest(TAGS.manifest, utf8('ab'), utf8('c'))).toBe(
      `0x${sha256(frame('usufruct/manifest/v1', 'ab', 'c')).toString('hex')}`,
    );
  });

  it('binds an id to its kind, parent, owner and salt', () => {
    const base = deriveId('job', id(1), id(2), id(3));
    expect(base).toBe(
      `0x${sha256(frame('usufruct/object-id/v1', 'job', Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(32, 3))).toString('hex')}`,
    );
    const others = [
      deriveId('grant', id(1), id(2), id(3)),
      deriveId('job', id(9), id(2), id(3)),
      deriveId('job', id(1), id(9), id(3)),
      deriveId('job', id(1), id(2), id(9)),
      deriveId('job', null, id(2), id(3)),
    ];
    expect(new Set([base, ...others]).size).toBe(6);
  });

  it('uses no tag twice', () => {
    const tags = Object.values(TAGS);
    expect(new Set(tags).size).toBe(tags.length);
  });
});

describe('the binding of ATTESTATION.md', () => {
  const keys = { hpkePublicKey: new Uint8Array(32).fill(1), signingPublicKey: new Uint8Array(32).fill(2) };
  const a = new Uint8Array(32).fill(0xaa);
  const b = new Uint8Array(32).fill(0xbb);

  it('combines challenges in sorted order, with their count', () => {
    const count = Buffer.from([2, 0, 0, 0]);
    expect(Buffer.from(combineChallenges([b, a]))).toEqual(sha256(frame('usufruct/challenge/v1', count, a, b)));
    expect(combineChallenges([a, b])).toEqual(combineChallenges([b, a]));
    expect(combineChallenges([a])).not.toEqual(combineChallenges([a, a]));
  });

  it('puts the bound hash first and the challenge second', () => {
    const data = reportData(a, keys, [], id(7));
    const gpuHash = sha256(frame());
    expect(Buffer.from(data.subarray(0, 32))).toEqual(
      sha256(frame('rd/v1', a, keys.hpkePublicKey, keys.signingPublicKey, gpuHash, Buffer.alloc(32, 7))),
    );
    expect(data.subarray(32)).toEqual(a);
  });
});

describe('the manifest', () => {
  it('round-trips, whoever has the keys', () => {
    expect(decodeManifest(encodeManifest(manifest()))).toEqual(manifest());
    const sealed = manifest({ keys: sealedBy() });
    expect(decodeManifest(encodeManifest(sealed))).toEqual(sealed);
    expect(() => heldKeys(sealed)).toThrow(/field: keys/);
  });

  it.each<[string, Partial<Manifest>, string]>([
    ['another version', { version: 2 as 1 }, 'version'],
    ['no parts', { parts: [] }, 'parts'],
    ['an empty part', { parts: [{ blob: id(6), sha256: id(7), sizeBytes: 0 }] }, 'parts.sizeBytes'],
    [
      'a part over the limit',
      { parts: [{ blob: id(6), sha256: id(7), sizeBytes: 8 * 1024 ** 2 + 1 }] },
      'parts.sizeBytes',
    ],
    ['a threshold of none', { keys: heldBy({ threshold: 0, commitments: [] }) }, 'threshold'],
    ['a threshold over the holders', { keys: heldBy({ threshold: 4 }) }, 'threshold'],
    ['too few commitments', { keys: heldBy({ commitments: [new Uint8Array(32)] }) }, 'commitments'],
    ['a short commitment', { keys: heldBy({ commitments: [new Uint8Array(31), new Uint8Array(32)] }) }, 'commitments'],
    ['no key server', { keys: sealedBy({ keyServers: [] }) }, 'keyServers'],
    [
      'too many key servers',
      { keys: sealedBy({ keyServers: Array.from({ length: 17 }, (_, i) => id(i)) }) },
      'keyServers',
    ],
    ['a key server twice', { keys: sealedBy({ keyServers: [id(20), id(21), id(20)] }) }, 'keyServers'],
    ['a threshold of no key server', { keys: sealedBy({ threshold: 0 }) }, 'threshold'],
    ['a threshold over the key servers', { keys: sealedBy({ threshold: 4 }) }, 'threshold'],
    ['nothing encrypted', { keys: sealedBy({ encryptedSecret: new Uint8Array() }) }, 'encryptedSecret'],
    ['more encrypted than a secret', { keys: sealedBy({ encryptedSecret: new Uint8Array(4097) }) }, 'encryptedSecret'],
  ])('refuses %s', (_name, change, field) => {
    const run = () => decodeManifest(encodeManifest(manifest(change)));
    expect(codeOf(run)).toBe('MANIFEST_INVALID');
    expect(run).toThrow(new RegExp(`field: ${field}\\b`));
  });

  it('refuses every truncation and any trailing byte', () => {
    const bytes = encodeManifest(manifest());
    for (let length = 0; length < bytes.length; length++)
      expect(codeOf(() => decodeManifest(bytes.subarray(0, length)))).toBe('MANIFEST_INVALID');
    expect(codeOf(() => decodeManifest(Uint8Array.of(...bytes, 0)))).toBe('MANIFEST_INVALID');
  });

  it('survives arbitrary bytes with a refusal', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        (bytes) => codeOf(() => decodeManifest(bytes)) === 'MANIFEST_INVALID',
      ),
    );
  });
});

describe('transactions of the local chain', () => {
  const actions: ChainAction[] = [
    { kind: 'mint', to: id(1), amountUnits: asAmount(5n) },
    {
      kind: 'giveGrant',
      salt: id(2),
      contributionId: id(3),
      terms: {
        purposes: ['DUO:0000042'],
        kinds: ['rag', 'stats'],
        protections: ['tee'],
        priceFloorUnits: asAmount(7n),
        budgetMicroEpsilon: 0n,
        expiresAtMs: asTimestampMs(9),
      },
    },
    {
      kind: 'settleReceipt',
      receipt: Uint8Array.of(1, 2),
      signature: new Uint8Array(64),
      usesSalt: id(4),
      uses: [{ contributionId: id(5), grantId: id(6), weight: asWeight(3n) }],
    },
    { kind: 'closeJob', jobId: id(7) },
    {
      kind: 'fundJob',
      salt: id(8),
      datasetId: id(9),
      purpose: 'DUO:0000042',
      computation: 'rag',
      protection: 'tee',
      policyVersion: 1,
      pricePerQuestionUnits: asAmount(3n),
      maxQuestions: 2,
      termMs: 60_000,
      clientPublicKey: new Uint8Array(32),
    },
  ];
  it('round-trips every shape of payload', () => {
    const transaction = {
      chainId: 'local:0a0b0c0d',
      sender: id<Hex32>(1) as never,
      nonce: id(9),
      expiresAtMs: asTimestampMs(1_700_000_000_000),
      actions,
    };
    expect(decodeLocalTransaction(encodeLocalTransaction(transaction))).toEqual(transaction);
  });
});

describe('the wire', () => {
  it('writes bigints as decimal strings and reads them back', () => {
    expect(toWireJson({ price: asAmount(18_446_744_073_709_551_615n) })).toBe('{"price":"18446744073709551615"}');
    expect(parseAt(zAmount, '18446744073709551615', 'test')).toBe(18_446_744_073_709_551_615n);
  });
  it.each([
    [zAmount, 5],
    [zAmount, '1.5'],
    [zHex32(), `0x${'A'.repeat(64)}`],
    [zHex32(), '0x12'],
    [zTimestampMs, 1.5],
    [zTimestampMs, '5'],
  ])('refuses a wrong form (%#)', (schema, value) => {
    expect(codeOf(() => parseAt(schema, value, 'test'))).toBe('INVALID_ARGUMENT');
  });
  it('commits to uses with the salt', () => {
    const uses = [{ contributionId: id<never>(1), grantId: id<never>(2), weight: asWeight(10n) }];
    expect(usesCommitment(id(3), uses)).toBe(
      `0x${sha256(frame('usufruct/uses-commitment/v1', Buffer.alloc(32, 3), UsesBcs.serialize(uses).toBytes())).toString('hex')}`,
    );
    // BCS by hand: length 1, two 32-byte ids, u64 little-endian.
    expect(Buffer.from(UsesBcs.serialize(uses).toBytes()).toString('hex')).toBe(
      `01${'01'.repeat(32)}${'02'.repeat(32)}0a00000000000000`,
    );
  });
  it('tells the wallet what is signed and pins the bytes', () => {
    expect(walletStatementText({ action: 'Do a thing', chainId: 'local:1', digest: asId(id(1), 'digest') })).toBe(
      `Usufruct\nDo a thing\nChain: local:1\nDigest: ${id(1)}`,
    );
  });
});
