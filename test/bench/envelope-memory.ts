/**
 * Child of `envelope.ts`: 1 GiB through encryption and straight on through decryption, every byte compared, then the
 * peak resident set of this process on stdout. Both directions at once are more than any of our processes ever does.
 */
import { stdout } from 'node:process';
import { decryptEnvelope, encryptEnvelope } from '@usufruct/crypto';
import { systemRandom } from '@usufruct/kernel';
import { peakMb } from './peak.ts';

const PIECE_BYTES = 64 * 1024;
const PIECES = 1024 ** 3 / PIECE_BYTES;
const block = systemRandom(PIECE_BYTES);

/** The random block with the piece's number written into it, in a buffer of its own, as a file would be read. */
function pieceAt(index: number): Uint8Array {
  const piece = Uint8Array.from(block);
  new DataView(piece.buffer).setUint32(0, index);
  return piece;
}

async function* file(): AsyncGenerator<Uint8Array, void> {
  for (let index = 0; index < PIECES; index++) yield pieceAt(index);
}

/** Compares as it goes, so that the check needs no memory either. */
async function expectFile(body: AsyncIterable<Uint8Array>): Promise<void> {
  let at = 0;
  let expected: Uint8Array = new Uint8Array();
  for await (const view of body) {
    for (let taken = 0; taken < view.length;) {
      const offset = at % PIECE_BYTES;
      if (offset === 0) expected = pieceAt(at / PIECE_BYTES);
      const part = view.subarray(taken, taken + PIECE_BYTES - offset);
      if (Buffer.compare(part, expected.subarray(offset, offset + part.length)) !== 0)
        throw new Error(`differs after ${at} bytes`);
      at += part.length;
      taken += part.length;
    }
  }
  if (at !== PIECES * PIECE_BYTES) throw new Error(`${at} bytes instead of ${PIECES * PIECE_BYTES}`);
}

const startRssMb = peakMb();
const start = performance.now();
const sessionKey = systemRandom(32);
const source = encryptEnvelope({ source: file(), sessionKey, fileName: 'one-gib.bin', random: systemRandom });
await expectFile((await decryptEnvelope({ source, sessionKey })).body);
const seconds = Number(((performance.now() - start) / 1000).toFixed(2));
stdout.write(`${JSON.stringify({ fileGiB: 1, peakRssMb: peakMb(), startRssMb, seconds })}\n`);
