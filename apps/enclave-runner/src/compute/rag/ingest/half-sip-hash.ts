/**
 * HalfSipHash-2-4 with a 32-bit result (Aumasson and Bernstein, the 32-bit variant of SipHash): a fast hash with a key
 * of 8 bytes, without which nobody can choose inputs that collide. 32 bits are no commitment to anything.
 */
export class HalfSipHash {
  readonly #k0: number;
  readonly #k1: number;
  #words = new Int32Array(64);

  /** A `RangeError` for a key that is not of 8 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== 8) throw new RangeError('a HalfSipHash key has 8 bytes');
    const view = new DataView(key.buffer, key.byteOffset, 8);
    [this.#k0, this.#k1] = [view.getInt32(0, true), view.getInt32(4, true)];
  }

  /** Of a string's UTF-16 code units, two bytes each, the low one first. */
  ofString(text: string): number {
    const count = text.length >>> 1;
    const words = this.#room(count + 1);
    for (let i = 0; i < count; i++) words[i] = text.charCodeAt(2 * i) | (text.charCodeAt(2 * i + 1) << 16);
    const tail = text.length % 2 === 1 ? text.charCodeAt(text.length - 1) : 0;
    return this.#hash(count, ((2 * text.length) << 24) | tail);
  }

  /** Of 32-bit words, four bytes each, the low one first. */
  ofWords(words: readonly number[]): number {
    this.#room(words.length + 1).set(words);
    return this.#hash(words.length, (4 * words.length) << 24);
  }

  #room(words: number): Int32Array {
    if (words > this.#words.length) this.#words = new Int32Array(2 * words);
    return this.#words;
  }

  /** Of the first `count` words and the last one, which holds the length and what did not fill a word. */
  #hash(count: number, last: number): number {
    const words = this.#words;
    words[count] = last;
    let [v0, v1, v2, v3] = [this.#k0, this.#k1, 0x6c796765 ^ this.#k0, 0x74656462 ^ this.#k1];
    for (let i = 0; i <= count + 1; i++) {
      const isEnd = i > count;
      const word = isEnd ? 0 : words[i]!;
      if (isEnd) v2 ^= 0xff;
      v3 ^= word;
      for (let round = isEnd ? 4 : 2; round > 0; round--) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      v0 ^= word;
    }
    return (v1 ^ v3) >>> 0;
  }
}
