import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Arriving, inPieces, type Message } from './pieces.js';

function carried(value: object): { readonly arrived: unknown; readonly messages: readonly Message[] } {
  const [messages, arriving] = [[...inPieces(value)], new Arriving()];
  const found = messages.map((message) => arriving.take(structuredClone(message)));
  expect(found.slice(0, -1).every((each) => each === undefined)).toBe(true);
  return { arrived: found.at(-1), messages };
}

describe('a value in pieces', () => {
  it('comes together as it was', () => {
    const numbers = fc.oneof(fc.uint8Array(), fc.int8Array(), fc.uint32Array(), fc.float32Array(), fc.float64Array());
    const leaf = fc.oneof(fc.integer(), fc.constant(null), fc.string(), numbers, fc.array(fc.string()));
    const node = fc.dictionary(fc.constantFrom('a', 'b', 'c'), leaf);
    const value = fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.oneof(leaf, node));
    fc.assert(fc.property(value, (each) => expect({ ...(carried(each).arrived as object) }).toEqual({ ...each })));
  });

  it('is cut so that no message is large, and nothing but what is meant goes with it', () => {
    const numbers = Float64Array.from({ length: 600_000 }, (_, i) => i);
    const texts = Array.from({ length: 3_000 }, (_, i) => (i % 1_000 === 0 ? 'x'.repeat(700_000) : `text ${i}`));
    const { arrived, messages } = carried({ numbers: numbers.subarray(1), texts, size: 7 });
    expect(arrived).toEqual({ numbers: numbers.subarray(1), texts, size: 7 });
    const sizes = messages.map((message) => JSON.stringify('items' in message ? message.items.length : 0));
    // Of numbers 2 MiB each; of texts 1,024, or up to the one with which there are a million characters.
    expect(sizes.slice(1).map(Number)).toEqual([262_144, 262_144, 75_711, 1_001, 1_024, 975]);
  });

  it('that nobody sent is refused', () => {
    const piece = { array: 0, at: 0, items: Uint8Array.of(1) };
    expect(() => new Arriving().take(piece)).toThrow(RangeError);
    const opened = (kind: string): Arriving => {
      const arriving = new Arriving();
      arriving.take({ head: {}, arrays: [{ kind, length: 1 }] });
      return arriving;
    };
    expect(() => opened('Object')).toThrow(RangeError);
    expect(() => opened('').take(piece)).toThrow(RangeError);
    expect(() => opened('Uint8Array').take({ ...piece, at: 1 })).toThrow('out of bounds');
    expect(() => opened('').take({ ...piece, items: ['a', 'b'] })).toThrow('more than was said');
    expect(() => opened('Uint8Array').take({ ...piece, items: new DataView(new ArrayBuffer(1)) as never })).toThrow(RangeError); // prettier-ignore
  });

  it('is refused where it is larger than is taken, before there is room for it', () => {
    const opened = (kind: string, length: number) => new Arriving(16).take({ head: {}, arrays: [{ kind, length }] });
    expect(() => opened('Float64Array', 3)).toThrow('more than is taken');
    expect(() => opened('Float64Array', 2 ** 40)).toThrow('more than is taken');
    expect(() => opened('', NaN)).toThrow('more than is taken');
    expect(opened('Float64Array', 2)).toBeUndefined();
  });
});
