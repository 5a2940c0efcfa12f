import { createPublicKey, randomBytes, verify as nodeVerify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, fromHex, toHex, utf8, type RandomSource } from '@usufruct/kernel';
import * as fc from 'fast-check';
import { nativeEngine, nodeEngine, portableEngine } from './ed25519-engines.js';
import { nodeCrypto } from './node-crypto.js';
import { generateSigningKey, holdSigningKey, sign, signWith, verify, verifyWith } from './ed25519.js';

const random: RandomSource = (length) => new Uint8Array(randomBytes(length));
const ENGINES = [
  ["Node's", nodeEngine(nodeCrypto!)],
  ['native', nativeEngine],
  ['portable', portableEngine],
] as const;

/** RFC 8032 §7.1, tests 1 and 3. */
const VECTORS = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
];

describe.each(ENGINES)('the %s engine', (_name, engine) => {
  it.each(VECTORS)('agrees with RFC 8032 on $publicKey', async ({ seed, publicKey, message, signature }) => {
    expect(toHex(await engine.sign(fromHex(seed), fromHex(message)))).toBe(signature);
    expect(await engine.verify(fromHex(publicKey), fromHex(message), fromHex(signature))).toBe(true);
    expect(await engine.verify(fromHex(publicKey), utf8('other'), fromHex(signature))).toBe(false);
  });

  it('is false for a public key that is no point', async () => {
    // y = 2 is not on the curve.
    expect(await engine.verify(Uint8Array.of(2, ...new Uint8Array(31)), utf8('m'), new Uint8Array(64))).toBe(false);
  });
});

describe('keys that are imported once', () => {
  it('sign as they did before, and their bytes in another array as ever', async () => {
    const [{ seed, message, signature }, other] = [VECTORS[0]!, VECTORS[1]!];
    const secretKey = fromHex(seed);
    holdSigningKey({ secretKey });
    const engine = nodeEngine(nodeCrypto!);
    for (const held of [secretKey, fromHex(seed), secretKey]) {
      expect(toHex(await engine.sign(held, fromHex(message)))).toBe(signature);
    }
    expect(toHex(await engine.sign(fromHex(other.seed), fromHex(other.message)))).toBe(other.signature);
    expect(() => holdSigningKey({ secretKey: new Uint8Array(31) })).toThrow('secretKey');
  });

  it("are each other's in no case, however many there are", async () => {
    // More than are remembered: the first ones are forgotten when they are asked for again.
    const keys = Array.from({ length: 300 }, () => generateSigningKey(random));
    const [domainTag, message] = ['tag', utf8('message')];
    const signed = await Promise.all(keys.map(({ secretKey }) => sign({ secretKey, domainTag, message })));
    for (const _round of [1, 2]) {
      for (const [i, { publicKey }] of keys.entries()) {
        expect(await verify({ publicKey, domainTag, message, signature: signed[i]! })).toBe(true);
        expect(await verify({ publicKey, domainTag, message, signature: signed[(i + 1) % 300]! })).toBe(false);
      }
    }
  });
});

describe('sign and verify', () => {
  const key = generateSigningKey(random);

  it('covers the length-prefixed tag and message', async () => {
    const signature = await sign({ secretKey: key.secretKey, domainTag: 'tag', message: utf8('message') });
    const covered = Buffer.concat([
      Buffer.from([3, 0, 0, 0]),
      Buffer.from('tag'),
      Buffer.from([7, 0, 0, 0]),
      Buffer.from('message'),
    ]);
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key.publicKey]);
    const nodeKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(nodeVerify(null, covered, nodeKey, signature)).toBe(true);
  });

  it('agrees between the engines', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.string(),
        fc.uint8Array(),
        async (seed, domainTag, message) => {
          const { publicKey, secretKey } = generateSigningKey(() => seed);
          expect(publicKey).toEqual(portableEngine.publicKey(secretKey));
          const signature = await signWith(portableEngine, { secretKey, domainTag, message });
          for (const [, engine] of ENGINES) {
            expect(await signWith(engine, { secretKey, domainTag, message })).toEqual(signature);
            expect(await verifyWith(engine, { publicKey, domainTag, message, signature })).toBe(true);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  const signed = sign({ secretKey: key.secretKey, domainTag: 'tag', message: utf8('message') });
  const good = async () => ({
    publicKey: key.publicKey,
    domainTag: 'tag',
    message: utf8('message'),
    signature: await signed,
  });
  const flipAt = (bytes: Uint8Array, at: number) => Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));
  const plusOrder = (signature: Uint8Array) => {
    const s = ed25519.Point.Fn.fromBytes(signature.subarray(32)) + ed25519.Point.Fn.ORDER;
    return Uint8Array.from(signature, (byte, i) => (i < 32 ? byte : Number((s >> BigInt(8 * (i - 32))) & 0xffn)));
  };
  type Good = Awaited<ReturnType<typeof good>>;

  it.each<[string, (g: Good) => Good]>([
    ['another tag', (g) => ({ ...g, domainTag: 'gat' })],
    ['a moved border of tag and message', (g) => ({ ...g, domainTag: 'tagm', message: utf8('essage') })],
    ['another message', (g) => ({ ...g, message: utf8('massage') })],
    ['another key', (g) => ({ ...g, publicKey: generateSigningKey(random).publicKey })],
    ['a flipped bit in R', (g) => ({ ...g, signature: flipAt(g.signature, 0) })],
    ['a flipped bit in S', (g) => ({ ...g, signature: flipAt(g.signature, 40) })],
    ['S + ℓ', (g) => ({ ...g, signature: plusOrder(g.signature) })],
    ['63 bytes', (g) => ({ ...g, signature: g.signature.subarray(1) })],
    ['a short key', (g) => ({ ...g, publicKey: g.publicKey.subarray(1) })],
    ['nothing', (g) => ({ ...g, signature: new Uint8Array() })],
  ])('is false for %s in every engine', async (_name, change) => {
    const params = await good();
    expect(await verify(params)).toBe(true);
    for (const [, engine] of ENGINES) expect(await verifyWith(engine, change(params))).toBe(false);
  });

  it.each(ED25519_TORSION_SUBGROUP)('refuses the key of small order %s', async (point) => {
    // For such a key, R = identity and S = 0 satisfy the equation for many messages.
    const signature = concatBytes(Uint8Array.of(1, ...new Uint8Array(31)), new Uint8Array(32));
    for (let i = 0; i < 16; i++) {
      const params = { publicKey: fromHex(point), domainTag: 't', message: Uint8Array.of(i), signature };
      for (const [, engine] of ENGINES) expect(await verifyWith(engine, params)).toBe(false);
    }
  });

  it('gives one answer in every engine for keys of mixed order', async () => {
    const { Point } = ed25519;
    const torsion = Point.fromHex(ED25519_TORSION_SUBGROUP[1]!);
    const secret = 12345n;
    const mixed = Point.BASE.multiply(secret).add(torsion).toBytes();
    const answers = new Set<boolean>();
    for (let i = 0; i < 48; i++) {
      const message = Uint8Array.of(i);
      const covered = concatBytes(Uint8Array.of(1, 0, 0, 0), utf8('t'), Uint8Array.of(1, 0, 0, 0), message);
      const r = Point.BASE.multiply(777n).toBytes();
      const k = Point.Fn.create(
        sha512(concatBytes(r, mixed, covered)).reduceRight((v, byte) => (v << 8n) | BigInt(byte), 0n),
      );
      const signature = concatBytes(r, Point.Fn.toBytes(Point.Fn.create(777n + k * secret)));
      const params = { publicKey: mixed, domainTag: 't', message, signature };
      const given = await Promise.all(ENGINES.map(([, engine]) => verifyWith(engine, params)));
      expect(new Set(given).size).toBe(1);
      answers.add(given[0]!);
    }
    // One in eight passes without the cofactor: both answers must have occurred, or this test compares nothing.
    expect(answers).toEqual(new Set([true, false]));
  });

  it('refuses a secret key of another length', async () => {
    await expect(sign({ secretKey: new Uint8Array(64), domainTag: 't', message: utf8('m') })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(() => generateSigningKey(() => new Uint8Array(31))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
