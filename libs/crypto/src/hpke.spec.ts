import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { fromHex, toHex, utf8, type RandomSource } from '@usufruct/kernel';
import * as fc from 'fast-check';
import {
  beginSeal,
  generateKeyPair,
  HPKE_OVERHEAD_BYTES,
  nativeSuite,
  open,
  openWith,
  portableSuite,
  seal,
  sealWith,
} from './hpke.js';
import { nodeSuite } from './hpke-node.js';
import { nodeCrypto } from './node-crypto.js';

const random: RandomSource = (length) => new Uint8Array(randomBytes(length));

/** The vectors published with RFC 9180: mode 0, KEM 0x0020, KDF 0x0001, AEAD 0x0002, sequence number 0. */
const VECTOR = {
  info: fromHex('4f6465206f6e2061204772656369616e2055726e'),
  ikmE: fromHex('2cd7c601cefb3d42a62b04b7a9041494c06c7843818e0ce28a8f704ae7ab20f9'),
  ikmR: fromHex('dac33b0e9db1b59dbbea58d59a14e7b5896e9bdf98fad6891e99d1686492b9ee'),
  skRm: '497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d',
  pkRm: '430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c',
  enc: '6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256',
  aad: fromHex('436f756e742d30'),
  pt: fromHex('4265617574792069732074727574682c20747275746820626561757479'),
  ct: 'e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a',
};

const SUITES = [
  ["Node's", nodeSuite(nodeCrypto!)],
  ['native', nativeSuite()],
  ['portable', portableSuite()],
] as const;

describe('RFC 9180 vectors', () => {
  it('derives the recipient key pair', async () => {
    const pair = await generateKeyPair(() => VECTOR.ikmR);
    expect(toHex(pair.privateKey)).toBe(VECTOR.skRm);
    expect(toHex(pair.publicKey)).toBe(VECTOR.pkRm);
  });

  it.each(SUITES)('seals and opens with %s X25519', async (_name, suite) => {
    const { info, aad, pt: plaintext } = VECTOR;
    const sealed = await sealWith(
      suite,
      { recipientPublicKey: fromHex(VECTOR.pkRm), info, aad, plaintext },
      VECTOR.ikmE,
    );
    expect(toHex(sealed)).toBe(VECTOR.enc + VECTOR.ct);
    expect(await openWith(suite, { privateKey: fromHex(VECTOR.skRm), info, aad, sealed })).toEqual(plaintext);
  });
});

describe('seal and open', () => {
  it('round-trips any plaintext, info and aad, and never repeats itself', async () => {
    const { publicKey, privateKey } = await generateKeyPair(random);
    const bytes = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(bytes, bytes, bytes, async (plaintext, info, aad) => {
        const sealed = await seal({ recipientPublicKey: publicKey, info, aad, plaintext });
        expect(sealed.length).toBe(plaintext.length + HPKE_OVERHEAD_BYTES);
        expect(await open({ privateKey, info, aad, sealed })).toEqual(Uint8Array.from(plaintext));
        expect(await seal({ recipientPublicKey: publicKey, info, aad, plaintext })).not.toEqual(sealed);
      }),
      { numRuns: 30 },
    );
  });

  it('is opened by every suite, whichever sealed it', async () => {
    const { publicKey: recipientPublicKey, privateKey } = await generateKeyPair(random);
    const common = { info: utf8('info'), aad: utf8('aad') };
    for (const [, sealing] of SUITES) {
      const sealed = await sealWith(sealing, { ...common, recipientPublicKey, plaintext: random(1_000) });
      const opened = await Promise.all(SUITES.map(([, suite]) => openWith(suite, { ...common, privateKey, sealed })));
      expect(new Set(opened.map(toHex)).size).toBe(1);
    }
  });

  it('seals one message where the recipient is known first, and no second', async () => {
    const { publicKey: recipientPublicKey, privateKey } = await generateKeyPair(random);
    const [info, aad] = [utf8('info'), utf8('aad')];
    const sealer = await beginSeal({ recipientPublicKey, info });
    const sealed = await sealer({ plaintext: utf8('later'), aad });
    expect(await open({ privateKey, info, aad, sealed })).toEqual(Uint8Array.from(utf8('later')));
    await expect(sealer({ plaintext: utf8('again'), aad })).rejects.toThrow('one message');
    await expect(beginSeal({ recipientPublicKey: new Uint8Array(32), info })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('carries 10,000 shares to one recipient as one bundle', async () => {
    const { publicKey, privateKey } = await generateKeyPair(random);
    const bundle = random(10_000 * 33);
    const sealed = await seal({ recipientPublicKey: publicKey, info: utf8('i'), aad: utf8(''), plaintext: bundle });
    expect(await open({ privateKey, info: utf8('i'), aad: utf8(''), sealed })).toEqual(bundle);
  });

  it('reads views into larger buffers as what they are', async () => {
    const { publicKey, privateKey } = await generateKeyPair(random);
    const inside = (bytes: Uint8Array) => Uint8Array.of(9, ...bytes, 9).subarray(1, bytes.length + 1);
    const common = { info: inside(utf8('info')), aad: inside(utf8('aad')) };
    const sealed = await seal({ ...common, recipientPublicKey: inside(publicKey), plaintext: inside(utf8('text')) });
    expect(
      await open({ info: utf8('info'), aad: utf8('aad'), privateKey: inside(privateKey), sealed: inside(sealed) }),
    ).toEqual(Uint8Array.from(utf8('text')));
  });

  const made = (async () => {
    const pair = await generateKeyPair(random);
    const stranger = await generateKeyPair(random);
    const opening = { privateKey: pair.privateKey, info: utf8('info'), aad: utf8('aad') };
    const sealed = await seal({
      recipientPublicKey: pair.publicKey,
      info: utf8('info'),
      aad: utf8('aad'),
      plaintext: utf8('secret'),
    });
    return { opening, sealed, stranger };
  })();
  const flipAt = (bytes: Uint8Array, at: number) => Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));

  it.each<[string, (m: Awaited<typeof made>) => Parameters<typeof open>[0], string]>([
    ['a flipped bit in enc', (m) => ({ ...m.opening, sealed: flipAt(m.sealed, 0) }), 'ENVELOPE_TAMPERED'],
    ['a flipped bit in the ciphertext', (m) => ({ ...m.opening, sealed: flipAt(m.sealed, 33) }), 'ENVELOPE_TAMPERED'],
    [
      'a flipped bit in the tag',
      (m) => ({ ...m.opening, sealed: flipAt(m.sealed, m.sealed.length - 1) }),
      'ENVELOPE_TAMPERED',
    ],
    ['a cut tag', (m) => ({ ...m.opening, sealed: m.sealed.subarray(0, -1) }), 'ENVELOPE_TAMPERED'],
    [
      'another key',
      (m) => ({ ...m.opening, privateKey: m.stranger.privateKey, sealed: m.sealed }),
      'ENVELOPE_TAMPERED',
    ],
    ['another info', (m) => ({ ...m.opening, info: utf8('inf0'), sealed: m.sealed }), 'ENVELOPE_TAMPERED'],
    ['another aad', (m) => ({ ...m.opening, aad: utf8('aae'), sealed: m.sealed }), 'ENVELOPE_TAMPERED'],
    [
      'enc of small order',
      (m) => ({ ...m.opening, sealed: Uint8Array.of(...new Uint8Array(32), ...m.sealed.subarray(32)) }),
      'ENVELOPE_TAMPERED',
    ],
    ['47 bytes', (m) => ({ ...m.opening, sealed: m.sealed.subarray(0, 47) }), 'ENVELOPE_MALFORMED'],
    ['nothing', (m) => ({ ...m.opening, sealed: new Uint8Array() }), 'ENVELOPE_MALFORMED'],
    [
      'a short private key',
      (m) => ({ ...m.opening, privateKey: new Uint8Array(31), sealed: m.sealed }),
      'INVALID_ARGUMENT',
    ],
  ])('refuses to open with %s in every suite', async (_name, params, code) => {
    for (const [, suite] of SUITES) {
      await expect(openWith(suite, params(await made))).rejects.toMatchObject({ code });
    }
  });

  it.each([
    ['of 31 bytes', new Uint8Array(31).fill(9)],
    ['of small order', new Uint8Array(32)],
  ])('refuses a recipient key %s in every suite', async (_name, recipientPublicKey) => {
    const params = { recipientPublicKey, info: utf8(''), aad: utf8(''), plaintext: utf8('x') };
    for (const [, suite] of SUITES) {
      await expect(sealWith(suite, params)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });
});
