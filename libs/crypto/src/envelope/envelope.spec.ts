import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { concatBytes, utf8, type RandomSource } from '@usufruct/kernel';
import * as fc from 'fast-check';
import { collect, streamOf } from '../streams.js';
import { decryptEnvelope, decryptWhole } from './decrypt.js';
import { encryptEnvelope } from './encrypt.js';
import { definiteLength } from './packet-length.js';

const random: RandomSource = (length) => new Uint8Array(randomBytes(length));
const sessionKey = random(32);
const LIMIT = 1024 ** 3;

async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function encrypted(
  bytes: Uint8Array,
  options: { chunkBytes?: number; fileName?: string; pieceBytes?: number } = {},
) {
  const { fileName = 'a.txt', pieceBytes = 1000, ...rest } = options;
  return collect(
    encryptEnvelope({ source: inPieces(bytes, pieceBytes), sessionKey, fileName, random, ...rest }),
    LIMIT,
  );
}
const decrypted = (bytes: Uint8Array, pieceBytes = 700) =>
  decryptWhole({ source: inPieces(bytes, pieceBytes), sessionKey, maxBytes: LIMIT });

/**
 * The encrypted packet made by hand with node:crypto, for messages that our writer never makes. What is given is the
 * plaintext of the chunks; everything else follows RFC 9580 §5.13.2.
 */
function handMade(
  plaintext: Uint8Array,
  options: { chunkOctet?: number; header?: number[]; order?: number[]; total?: number } = {},
) {
  const { chunkOctet = 0, header = [2, 9, 3, chunkOctet] } = options;
  const salt = randomBytes(32);
  const parameters = Buffer.from([0xd2, ...header]);
  const derived = Buffer.from(hkdfSync('sha256', sessionKey, salt, parameters, 36));
  const seal = (index: number, text: Uint8Array, additional: Buffer) => {
    const nonce = Buffer.concat([derived.subarray(32), Buffer.alloc(8)]);
    nonce.writeBigUInt64BE(BigInt(index), 4);
    const cipher = createCipheriv('aes-256-gcm', derived.subarray(0, 32), nonce);
    cipher.setAAD(additional);
    return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  };
  const size = 2 ** (chunkOctet + 6);
  const count = Math.ceil(plaintext.length / size);
  const chunks = Array.from({ length: count }, (_, i) =>
    seal(i, plaintext.subarray(i * size, (i + 1) * size), parameters),
  );
  const total = Buffer.alloc(8);
  total.writeBigUInt64BE(BigInt(options.total ?? plaintext.length));
  const kept = (options.order ?? chunks.map((_, i) => i)).map((i) => chunks[i]!);
  const last = seal(count, new Uint8Array(), Buffer.concat([parameters, total]));
  const body = concatBytes(Uint8Array.from(header), salt, ...kept, last);
  return concatBytes(Uint8Array.of(0xd2), definiteLength(body.length), body);
}
const literal = (text: string, { format = 'b', name = utf8('n') }: { format?: string; name?: Uint8Array } = {}) => {
  const body = concatBytes(utf8(format), Uint8Array.of(name.length), name, new Uint8Array(4), utf8(text));
  return concatBytes(Uint8Array.of(0xcb), definiteLength(body.length), body);
};

describe('round trip', () => {
  it('gives back any file in any pieces with any chunk size', async () => {
    const size = fc.oneof(
      fc.integer({ min: 0, max: 5_000 }),
      fc.constantFrom(504, 505, 506, 1016, 1023, 1024, 1025, 2048),
    );
    const pieces = fc.integer({ min: 1, max: 3_000 });
    await fc.assert(
      fc.asyncProperty(
        size,
        fc.constantFrom(512, 1024, 4096),
        pieces,
        pieces,
        async (length, chunkBytes, pieceIn, pieceOut) => {
          const bytes = random(length);
          const message = await encrypted(bytes, { chunkBytes, pieceBytes: pieceIn });
          expect(await decrypted(message, pieceOut)).toEqual({ fileName: 'a.txt', bytes });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives back every length around the borders of chunks, parts and length octets', async () => {
    // Body start: 2 + 1 + 5 (name) + 4 = 12 bytes of literal header before the file in the first chunk of 512.
    for (const around of [0, 180, 192, 500, 512, 1012, 1024, 8384]) {
      for (let length = Math.max(0, around - 14); length <= around + 14; length++) {
        const bytes = random(length);
        expect((await decrypted(await encrypted(bytes, { chunkBytes: 512 }))).bytes).toEqual(bytes);
      }
    }
  });

  it('goes on when the length octets of the parts have filled a chunk of their own', async () => {
    // With parts of 512 bytes the octets add up to 512 after 512 parts: 262,144 bytes.
    const bytes = random(3 * 262_144 + 77);
    expect((await decrypted(await encrypted(bytes, { chunkBytes: 512, pieceBytes: 65_536 }), 65_536)).bytes).toEqual(
      bytes,
    );
  });

  it('takes empty pieces, one-byte pieces and one big piece', async () => {
    const bytes = random(3_000);
    const source = streamOf(
      new Uint8Array(),
      bytes.subarray(0, 1),
      new Uint8Array(),
      bytes.subarray(1),
      new Uint8Array(),
    );
    const message = await collect(
      encryptEnvelope({ source, sessionKey, fileName: '', random, chunkBytes: 1024 }),
      LIMIT,
    );
    expect(await decrypted(message, 1)).toEqual({ fileName: '', bytes });
    expect((await decrypted(message, message.length)).bytes).toEqual(bytes);
  });

  it('never makes the same message twice', async () => {
    const bytes = random(100);
    expect(await encrypted(bytes)).not.toEqual(await encrypted(bytes));
  });

  it('reads what was made by hand after the RFC, at every chunk size of one octet', async () => {
    for (let chunkOctet = 0; chunkOctet <= 16; chunkOctet++) {
      const text = 'x'.repeat(chunkOctet < 6 ? 1_000 : 10_000);
      const { fileName, bytes } = await decrypted(handMade(literal(text), { chunkOctet }));
      expect({ fileName, text: Buffer.from(bytes).toString() }).toEqual({ fileName: 'n', text });
    }
  });
});

describe('streaming', () => {
  it('gives out pieces long before the source ends, and stops the source when nobody reads on', async () => {
    let made = 0;
    let closed = false;
    async function* endless() {
      try {
        for (;;) {
          made += 1;
          yield new Uint8Array(4096);
        }
      } finally {
        closed = true;
      }
    }
    const message = encryptEnvelope({ source: endless(), sessionKey, fileName: 'e', random, chunkBytes: 4096 });
    const { body } = await decryptEnvelope({ source: message, sessionKey });
    let got = 0;
    for await (const piece of body) {
      got += piece.length;
      if (got > 1_000_000) break;
    }
    expect(closed).toBe(true);
    // 64 chunks in flight on each side, and one more being filled.
    expect(made * 4096).toBeLessThan(got + 140 * 4096);
  });

  it('lets go of the source when the body is not read at all, and when the start is refused', async () => {
    let closed = 0;
    async function* watched(bytes: Uint8Array) {
      try {
        yield* inPieces(bytes, 100);
      } finally {
        closed += 1;
      }
    }
    const message = await encrypted(random(5_000));
    const { body } = await decryptEnvelope({ source: watched(message), sessionKey });
    await body.return();
    expect(closed).toBe(1);
    await expect(decryptEnvelope({ source: watched(message.subarray(1)), sessionKey })).rejects.toMatchObject({
      code: 'ENVELOPE_MALFORMED',
    });
    expect(closed).toBe(2);
  });

  it('passes on the error of the source', async () => {
    const failure = new Error('disk');
    async function* failing() {
      yield random(2_000);
      throw failure;
    }
    await expect(
      collect(encryptEnvelope({ source: failing(), sessionKey, fileName: 'f', random }), LIMIT),
    ).rejects.toBe(failure);
    await expect(decryptWhole({ source: failing(), sessionKey, maxBytes: LIMIT })).rejects.toMatchObject({
      code: 'ENVELOPE_MALFORMED',
    });
  });

  it('gives out authentic pieces before it finds that the end is cut off: why nobody may act early', async () => {
    const bytes = random(100 * 512);
    const message = handMade(literal(Buffer.from(bytes).toString('latin1')), { chunkOctet: 3 });
    const { body } = await decryptEnvelope({ source: inPieces(message.subarray(0, -16), 512), sessionKey });
    let early = 0;
    const reading = (async () => {
      for await (const piece of body) early += piece.length;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ENVELOPE_MALFORMED' });
    expect(early).toBeGreaterThan(512);
  });
});

describe('an attacker', () => {
  const bytes = random(6 * 512 + 100);
  /** Offsets in the hand-made message: 1 + 2 (length) + 36 (header), then chunks of 512 + 16. */
  const made = handMade(literal(Buffer.from(bytes).toString('hex')), { chunkOctet: 3 });
  const START = 3 + 36;
  const SEALED = 512 + 16;
  const chunkCount = Math.ceil(literal(Buffer.from(bytes).toString('hex')).length / 512);
  const rebuilt = (body: Uint8Array) => concatBytes(Uint8Array.of(0xd2), definiteLength(body.length), body);
  const body = made.subarray(3);
  const chunk = (i: number) => made.subarray(START + i * SEALED, START + (i + 1) * SEALED);
  const header = body.subarray(0, 36);
  const tail = body.subarray(36 + (chunkCount - 1) * SEALED);
  const chunks = Array.from({ length: chunkCount - 1 }, (_, i) => chunk(i));
  const withChunks = (...list: Uint8Array[]) => rebuilt(concatBytes(header, ...list, tail));

  it('starts from a message that is good', async () => {
    expect(withChunks(...chunks)).toEqual(made);
    await expect(decrypted(made)).resolves.toMatchObject({ fileName: 'n' });
  });

  it.each<[string, () => Uint8Array, string]>([
    ['swaps two chunks', () => withChunks(chunks[1]!, chunks[0]!, ...chunks.slice(2)), 'ENVELOPE_TAMPERED'],
    ['repeats a chunk', () => withChunks(chunks[0]!, ...chunks), 'ENVELOPE_TAMPERED'],
    ['removes the first chunk', () => withChunks(...chunks.slice(1)), 'ENVELOPE_TAMPERED'],
    ['removes a chunk inside', () => withChunks(...chunks.toSpliced(3, 1)), 'ENVELOPE_TAMPERED'],
    ['removes the last chunk', () => rebuilt(concatBytes(header, ...chunks, tail.subarray(-16))), 'ENVELOPE_TAMPERED'],
    ['ends at a chunk border', () => rebuilt(concatBytes(header, ...chunks)), 'ENVELOPE_TAMPERED'],
    ['removes the last tag', () => rebuilt(body.subarray(0, -16)), 'ENVELOPE_TAMPERED'],
    [
      'changes the last tag',
      () => Uint8Array.from(made, (b, i) => (i === made.length - 1 ? b ^ 1 : b)),
      'ENVELOPE_TAMPERED',
    ],
    ['claims another total', () => handMade(literal('hello'), { total: 1 }), 'ENVELOPE_TAMPERED'],
    ['changes the salt', () => Uint8Array.from(made, (b, i) => (i === 10 ? b ^ 1 : b)), 'ENVELOPE_TAMPERED'],
    ['changes the chunk size', () => Uint8Array.from(made, (b, i) => (i === 6 ? 4 : b)), 'ENVELOPE_TAMPERED'],
    ['appends bytes to the packet', () => rebuilt(concatBytes(body, new Uint8Array(40))), 'ENVELOPE_TAMPERED'],
    ['appends a packet', () => concatBytes(made, literal('more')), 'ENVELOPE_MALFORMED'],
    ['appends one byte', () => concatBytes(made, Uint8Array.of(0)), 'ENVELOPE_MALFORMED'],
    ['cuts the stream', () => made.subarray(0, -1), 'ENVELOPE_MALFORMED'],
    [
      'leaves 20 bytes of a chunk',
      () => rebuilt(concatBytes(header, chunks[0]!.subarray(0, 20))),
      'ENVELOPE_MALFORMED',
    ],
    ['leaves only the header', () => rebuilt(header), 'ENVELOPE_MALFORMED'],
    ['cuts the header', () => rebuilt(header.subarray(0, 20)), 'ENVELOPE_MALFORMED'],
    ['leaves only a tag octet', () => made.subarray(0, 1), 'ENVELOPE_MALFORMED'],
    ['leaves nothing', () => new Uint8Array(), 'ENVELOPE_MALFORMED'],
    ['uses version 1', () => handMade(literal('x'), { header: [1, 9, 3, 0] }), 'ENVELOPE_MALFORMED'],
    ['uses AES-128', () => handMade(literal('x'), { header: [2, 7, 3, 0] }), 'ENVELOPE_MALFORMED'],
    ['uses EAX', () => handMade(literal('x'), { header: [2, 9, 1, 0] }), 'ENVELOPE_MALFORMED'],
    ['uses OCB', () => handMade(literal('x'), { header: [2, 9, 2, 0] }), 'ENVELOPE_MALFORMED'],
    ['uses chunks over 4 MiB', () => handMade(literal('x'), { header: [2, 9, 3, 17] }), 'ENVELOPE_MALFORMED'],
    [
      'uses a legacy packet header',
      () => concatBytes(Uint8Array.of(0x80 | (18 << 2)), made.subarray(1)),
      'ENVELOPE_MALFORMED',
    ],
    [
      'puts another packet in front',
      () => concatBytes(Uint8Array.of(0xca, 3, 0x50, 0x47, 0x50), made),
      'ENVELOPE_MALFORMED',
    ],
    [
      'starts with a short part',
      () =>
        concatBytes(
          Uint8Array.of(0xd2, 224 + 8),
          body.subarray(0, 256),
          definiteLength(body.length - 256),
          body.subarray(256),
        ),
      'ENVELOPE_MALFORMED',
    ],
    [
      'goes on with parts of one byte',
      () =>
        concatBytes(
          Uint8Array.of(0xd2, 224 + 9),
          body.subarray(0, 512),
          Uint8Array.of(224, body[512]!),
          definiteLength(body.length - 513),
          body.subarray(513),
        ),
      'ENVELOPE_MALFORMED',
    ],
    [
      'ends with a part that is not the last',
      () => concatBytes(Uint8Array.of(0xd2, 224 + 9), body.subarray(0, 512)),
      'ENVELOPE_MALFORMED',
    ],
    ['encrypts nothing', () => handMade(new Uint8Array()), 'ENVELOPE_MALFORMED'],
    ['encrypts text', () => handMade(literal('x', { format: 'u' })), 'ENVELOPE_MALFORMED'],
    ['encrypts two files', () => handMade(concatBytes(literal('a'), literal('b'))), 'ENVELOPE_MALFORMED'],
    ['encrypts a compressed packet', () => handMade(Uint8Array.of(0xc8, 2, 0, 1)), 'ENVELOPE_MALFORMED'],
    ['encrypts half a literal header', () => handMade(Uint8Array.of(0xcb, 2, 0x62, 9)), 'ENVELOPE_MALFORMED'],
    ['encrypts a literal that is too short', () => handMade(literal('hello').subarray(0, -1)), 'ENVELOPE_MALFORMED'],
    ['names the file ../x', () => handMade(literal('x', { name: utf8('../x') })), 'ENVELOPE_MALFORMED'],
    ['names the file with a line break', () => handMade(literal('x', { name: utf8('a\nb') })), 'ENVELOPE_MALFORMED'],
    [
      'names the file in broken UTF-8',
      () => handMade(literal('x', { name: Uint8Array.of(0xff) })),
      'ENVELOPE_MALFORMED',
    ],
  ])('who %s is refused', async (_name, message, code) => {
    await expect(decrypted(message())).rejects.toMatchObject({ code });
  });

  it('who flips any bit of our message is refused', async () => {
    const message = await encrypted(random(1_500), { chunkBytes: 512 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: message.length * 8 - 1 }), async (bit) => {
        const flipped = Uint8Array.from(message);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        await expect(decrypted(flipped)).rejects.toMatchObject({
          code: expect.stringMatching(/^ENVELOPE_(TAMPERED|MALFORMED)$/),
        });
      }),
      { numRuns: 300 },
    );
  });

  it('who cuts our message anywhere is refused', async () => {
    const message = await encrypted(random(1_500), { chunkBytes: 512 });
    for (let length = 0; length < message.length; length++) {
      await expect(decrypted(message.subarray(0, length))).rejects.toMatchObject({
        code: expect.stringMatching(/^ENVELOPE_/),
      });
    }
  });

  it('who has another key is refused, and learns no name', async () => {
    const message = await encrypted(random(100));
    const opening = decryptEnvelope({ source: inPieces(message, 50), sessionKey: random(32) });
    await expect(opening).rejects.toMatchObject({ code: 'ENVELOPE_TAMPERED' });
  });
});

describe('arguments', () => {
  const source = () => streamOf(utf8('x'));
  it.each([
    ['a short key', { sessionKey: new Uint8Array(16) }, 'sessionKey'],
    ['a chunk size that is no power of two', { chunkBytes: 1000 }, 'chunkBytes'],
    ['a small chunk', { chunkBytes: 256 }, 'chunkBytes'],
    ['a chunk over 4 MiB', { chunkBytes: 8 * 1024 ** 2 }, 'chunkBytes'],
    ['a chunk size that is no number', { chunkBytes: Number.NaN }, 'chunkBytes'],
    ['a long name', { fileName: 'ä'.repeat(128) }, 'fileName'],
    ['a path', { fileName: 'a/b' }, 'fileName'],
    ['a Windows path', { fileName: 'a\\b' }, 'fileName'],
    ['a null character', { fileName: 'a\0b' }, 'fileName'],
    ['half a surrogate pair', { fileName: '\ud800' }, 'fileName'],
    ['a broken random source', { random: () => new Uint8Array(31) }, 'random'],
  ])('encryptEnvelope refuses %s', (_name, change, field) => {
    const call = () => encryptEnvelope({ source: source(), sessionKey, fileName: 'f', random, ...change });
    expect(call).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ field }) }),
    );
  });

  it('decryptEnvelope refuses a short key', async () => {
    await expect(decryptEnvelope({ source: source(), sessionKey: new Uint8Array(31) })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('decryptWhole refuses more than it was allowed', async () => {
    const message = await encrypted(random(1_000));
    const opening = (maxBytes: number) => decryptWhole({ source: inPieces(message, 100), sessionKey, maxBytes });
    await expect(opening(999)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE', details: { limitBytes: '999' } });
    expect((await opening(1_000)).bytes.length).toBe(1_000);
  });

  it('takes a name of 255 bytes and gives it back', async () => {
    const fileName = 'ä'.repeat(127) + 'b';
    expect((await decrypted(await encrypted(utf8('x'), { fileName, chunkBytes: 512 }))).fileName).toBe(fileName);
  });
});
