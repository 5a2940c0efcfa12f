import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { collect, fromReadableStream, splitIntoParts, streamOf, type StreamPart } from './streams.js';

async function partsOf(pieces: Uint8Array[], partBytes: number): Promise<StreamPart[]> {
  const parts: StreamPart[] = [];
  for await (const part of splitIntoParts(streamOf(...pieces), partBytes)) parts.push(part);
  return parts;
}

describe('splitIntoParts', () => {
  it('cuts into full parts and a rest that join to the stream, each with its SHA-256', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 50 }), async (list, partBytes) => {
        const whole = Buffer.concat(list);
        const parts = await partsOf(list, partBytes);
        expect(Buffer.concat(parts.map((part) => part.bytes)).equals(whole)).toBe(true);
        expect(parts.length).toBe(Math.ceil(whole.length / partBytes));
        expect(parts.slice(0, -1).every((part) => part.bytes.length === partBytes)).toBe(true);
        expect(parts.map((part) => part.index)).toEqual(parts.map((_, i) => i));
        for (const part of parts) {
          expect(part.sha256).toBe(`0x${createHash('sha256').update(part.bytes).digest('hex')}`);
        }
      }),
    );
  });

  it('gives each part a buffer of its own', async () => {
    const [one, two] = await partsOf([randomBytes(8)], 4);
    one!.bytes.fill(0);
    expect(two!.bytes.buffer).not.toBe(one!.bytes.buffer);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 31])('refuses parts of %p bytes', async (partBytes) => {
    await expect(partsOf([new Uint8Array(1)], partBytes)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('collect', () => {
  it('joins up to the limit and refuses one byte more', async () => {
    const source = () => streamOf(Uint8Array.of(1, 2), Uint8Array.of(3));
    expect(await collect(source(), 3)).toEqual(Uint8Array.of(1, 2, 3));
    await expect(collect(source(), 2)).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
  });
});

describe('fromReadableStream', () => {
  const counting = (onCancel: () => void) => {
    let next = 0;
    return new ReadableStream<Uint8Array>({
      pull: (controller) => (next < 5 ? controller.enqueue(Uint8Array.of(next++)) : controller.close()),
      cancel: onCancel,
    });
  };

  it('gives every piece and lets go of the stream', async () => {
    const stream = counting(() => undefined);
    expect(await collect(fromReadableStream(stream), 10)).toEqual(Uint8Array.of(0, 1, 2, 3, 4));
    expect(stream.locked).toBe(false);
  });

  it('cancels the stream when nobody reads on', async () => {
    let cancelled = false;
    const stream = counting(() => {
      cancelled = true;
    });
    for await (const piece of fromReadableStream(stream)) if (piece[0] === 2) break;
    expect(cancelled).toBe(true);
    expect(stream.locked).toBe(false);
  });

  it('passes on the error of the stream', async () => {
    const failure = new Error('network');
    const stream = new ReadableStream<Uint8Array>({
      pull: () => {
        throw failure;
      },
    });
    await expect(collect(fromReadableStream(stream), 10)).rejects.toBe(failure);
  });
});
