/** A generator of numbers whose whole state is 32 bits, so that every input can be made again from its number. */
export type Numbers = (below: number) => number;

/** Mulberry32 (T. Ettinger): the numbers for one seed and one input. */
export function numbersFor(seed: number, input: number): Numbers {
  let state = (seed ^ Math.imul(input + 1, 0x9e3779b1)) >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const BYTES_AT_MOST = 256 * 1024;
const INTERESTING = [0, 1, 2, 0x1f, 0x20, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x9f, 0xa0, 0xbf, 0xfe, 0xff];
const TOKENS = [
  '[',
  ']',
  '{',
  '}',
  '"',
  '\\u0000',
  '1e999',
  'null',
  '<',
  '</',
  '&lt;',
  '=',
  '\n',
  '-----',
  '__proto__',
];

type Mutation = (bytes: Uint8Array, pick: Numbers, others: readonly Uint8Array[]) => Uint8Array;

const spliced = (bytes: Uint8Array, from: number, to: number, middle: Uint8Array): Uint8Array => {
  const out = new Uint8Array(from + middle.length + bytes.length - to);
  out.set(bytes.subarray(0, from));
  out.set(middle, from);
  out.set(bytes.subarray(to), from + middle.length);
  return out;
};
const range = (bytes: Uint8Array, pick: Numbers, longest = 64): [number, number] => {
  const from = pick(bytes.length + 1);
  return [from, Math.min(bytes.length, from + pick(longest))];
};

const MUTATIONS: readonly Mutation[] = [
  // flips of bits
  (bytes, pick) => {
    const out = Uint8Array.from(bytes);
    for (let i = pick(8); i >= 0 && out.length > 0; i--) {
      const at = pick(out.length);
      out[at] = out[at]! ^ (1 << pick(8));
    }
    return out;
  },
  // truncation, at either end
  (bytes, pick) => (pick(4) === 0 ? bytes.subarray(pick(bytes.length + 1)) : bytes.subarray(0, pick(bytes.length + 1))),
  // a part of another valid input, or of this one, put in
  (bytes, pick, others) => {
    const other = others[pick(others.length)]!;
    const [from, to] = range(other, pick, 512);
    const [start, end] = range(bytes, pick, 512);
    return spliced(bytes, start, pick(2) === 0 ? start : end, other.subarray(from, to));
  },
  // what may be a length: one, two, three, four or eight bytes overwritten
  (bytes, pick) => {
    const out = Uint8Array.from(bytes);
    const width = [1, 2, 3, 4, 8][pick(5)]!;
    const at = pick(Math.max(1, out.length - width));
    for (let i = 0; i < width && at + i < out.length; i++) out[at + i] = INTERESTING[pick(INTERESTING.length)]!;
    return out;
  },
  // a number made a little larger or smaller
  (bytes, pick) => {
    const out = Uint8Array.from(bytes);
    if (out.length > 0) out[pick(out.length)]! += pick(2) === 0 ? 1 : 255;
    return out;
  },
  // a part left out
  (bytes, pick) => spliced(bytes, ...range(bytes, pick), new Uint8Array()),
  // a part many times: nesting where it opens something, size where it does not
  (bytes, pick) => {
    const [from, to] = range(bytes, pick, 16);
    const times = [2, 10, 100, 5000][pick(4)]!;
    const part = bytes.subarray(from, to);
    const many = new Uint8Array(part.length * times);
    for (let i = 0; i < times; i++) many.set(part, i * part.length);
    return spliced(bytes, from, to, many);
  },
  // wrapped in DER of the right length, again and again
  (bytes, pick) => {
    let inner = bytes;
    for (let depth = [1, 3, 30][pick(3)]!; depth > 0; depth--) inner = inSequence(inner);
    return inner;
  },
  // a word of some grammar
  (bytes, pick) => {
    const at = pick(bytes.length + 1);
    return spliced(bytes, at, at, new TextEncoder().encode(TOKENS[pick(TOKENS.length)]!.repeat(1 + pick(3))));
  },
];

function inSequence(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const head =
    length < 0x80
      ? [0x30, length]
      : length < 0x100
        ? [0x30, 0x81, length]
        : [0x30, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
  return spliced(bytes, 0, 0, Uint8Array.from(head));
}

/** One to four mutations of one of the valid inputs. The same numbers give the same input. */
export function mutated(seeds: readonly Uint8Array[], pick: Numbers): Uint8Array {
  let bytes = seeds[pick(seeds.length)]!;
  for (let i = pick(4); i >= 0; i--) {
    const next = MUTATIONS[pick(MUTATIONS.length)]!(bytes, pick, seeds);
    if (next.length <= BYTES_AT_MOST) bytes = next;
  }
  return Uint8Array.from(bytes);
}
