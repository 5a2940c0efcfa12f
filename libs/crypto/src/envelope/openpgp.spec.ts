/** OpenPGP.js 6 is the judge: it opens what we write, and we open what it writes. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { RandomSource } from '@usufruct/kernel';
import * as openpgp from 'openpgp';
import { collect, fromReadableStream, streamOf } from '../streams.js';
import { decryptWhole } from './decrypt.js';
import { encryptEnvelope } from './encrypt.js';

const random: RandomSource = (length) => new Uint8Array(randomBytes(length));
const sessionKey = random(32);
const SESSION = { data: sessionKey, algorithm: 'aes256' as const };
const LENGTHS = [0, 1, 191, 192, 8_383, 8_384, 65_536, 300_000];

describe('OpenPGP.js opens what we write', () => {
  it.each([512, 4_096, 65_536, 1024 ** 2, 4 * 1024 ** 2])('with chunks of %i bytes', async (chunkBytes) => {
    for (const length of LENGTHS) {
      const bytes = random(length);
      const ours = encryptEnvelope({ source: streamOf(bytes), sessionKey, fileName: 'größe.pdf', random, chunkBytes });
      const message = await openpgp.readMessage({ binaryMessage: await collect(ours, 2 ** 30) });
      const { data, filename } = await openpgp.decrypt({ message, sessionKeys: SESSION, format: 'binary' });
      expect(filename).toBe('größe.pdf');
      expect(Buffer.from(data).equals(bytes)).toBe(true);
    }
  });
});

const config = (aeadChunkSizeByte: number, preferredAEADAlgorithm = openpgp.enums.aead.gcm) => ({
  aeadProtect: true,
  aeadChunkSizeByte,
  preferredAEADAlgorithm,
  preferredCompressionAlgorithm: openpgp.enums.compression.uncompressed,
});
const withAead = { ...SESSION, aeadAlgorithm: 'gcm' as const };

async function theirs(
  bytes: Uint8Array,
  chunkOctet: number,
  session: openpgp.SessionKey = withAead,
): Promise<Uint8Array> {
  const message = await openpgp.createMessage({ binary: bytes, filename: 'theirs.bin' });
  const encrypted = await openpgp.encrypt({
    message,
    sessionKey: session,
    format: 'binary',
    config: config(chunkOctet),
  });
  return encrypted;
}

describe('we open what OpenPGP.js writes', () => {
  it.each(Array.from({ length: 17 }, (_, octet) => octet))('with chunk size octet %i', async (octet) => {
    const bytes = random(octet < 6 ? 3_000 : 100_000);
    const source = streamOf(await theirs(bytes, octet));
    expect(await decryptWhole({ source, sessionKey, maxBytes: 2 ** 30 })).toEqual({ fileName: 'theirs.bin', bytes });
  });

  it('of every length around the forms of a packet length', async () => {
    for (const length of LENGTHS) {
      const bytes = random(length);
      const source = streamOf(await theirs(bytes, 4));
      expect((await decryptWhole({ source, sessionKey, maxBytes: 2 ** 30 })).bytes).toEqual(bytes);
    }
  });

  it('as a stream with partial lengths inside and outside', async () => {
    const bytes = random(700_000);
    const readable = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 10_000) controller.enqueue(bytes.subarray(at, at + 10_000));
        controller.close();
      },
    });
    const message = await openpgp.createMessage({ binary: readable, filename: 'stream.bin' });
    const stream = await openpgp.encrypt({ message, sessionKey: withAead, format: 'binary', config: config(8) });
    const written = await collect(fromReadableStream(stream as ReadableStream<Uint8Array>), 2 ** 30);
    // A partial length octet (224 to 254) follows the packet's tag: otherwise this test shows nothing.
    expect(written[1]).toBeGreaterThanOrEqual(224);
    expect(written[1]).toBeLessThan(255);
    const opened = await decryptWhole({ source: streamOf(written), sessionKey, maxBytes: 2 ** 30 });
    expect(opened).toEqual({ fileName: 'stream.bin', bytes });
  });

  it.each(['ocb', 'eax'] as const)('but not %s, which WebCrypto cannot do', async (aeadAlgorithm) => {
    const source = streamOf(await theirs(random(100), 4, { ...SESSION, aeadAlgorithm }));
    await expect(decryptWhole({ source, sessionKey, maxBytes: 2 ** 30 })).rejects.toMatchObject({
      code: 'ENVELOPE_MALFORMED',
      details: { reason: 'AEAD mode is not GCM' },
    });
  });

  it('but not version 1, whose modification detection is SHA-1', async () => {
    const source = streamOf(await theirs(random(100), 4, SESSION));
    await expect(decryptWhole({ source, sessionKey, maxBytes: 2 ** 30 })).rejects.toMatchObject({
      code: 'ENVELOPE_MALFORMED',
    });
  });
});
