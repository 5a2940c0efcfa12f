/** Of a whole number below 2⁵³. */
export const LARGE_BYTES = 7;
const TWO_32 = 2 ** 32;

/** What is written grows; numbers below 2³² are LEB128, shortest form; arrays of numbers lie little-endian. */
export class ByteWriter {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;
  readonly #encoder = new TextEncoder();

  number(value: number): void {
    const bytes = this.#room(5);
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes[this.#length++] = (rest & 0x7f) | 0x80;
    bytes[this.#length++] = rest;
  }

  large(value: number): void {
    const bytes = this.#room(LARGE_BYTES);
    const [low, high] = [value >>> 0, Math.floor(value / TWO_32)];
    for (let shift = 0; shift < 32; shift += 8) bytes[this.#length++] = low >>> shift;
    for (let shift = 0; shift < 24; shift += 8) bytes[this.#length++] = high >>> shift;
  }

  text(text: string): void {
    const encoded = this.#encoder.encode(text);
    this.number(encoded.length);
    this.raw(encoded);
  }

  raw(added: Uint8Array): void {
    this.#room(added.length).set(added, this.#length);
    this.#length += added.length;
  }

  integers(values: Int8Array): void {
    this.raw(new Uint8Array(values.buffer, values.byteOffset, values.length));
  }

  floats(values: Float32Array): void {
    const bytes = this.#room(4 * values.length);
    const view = new DataView(bytes.buffer);
    for (const value of values) {
      view.setFloat32(this.#length, value, true);
      this.#length += 4;
    }
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #room(more: number): Uint8Array {
    if (this.#length + more > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.#length + more));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}

/** The bytes are not what is expected of them. */
export class BrokenBytes extends Error {}

/** Takes nothing that is not there, and nothing that a writer would have written otherwise. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Between `least` and `most`. */
  number(least: number, most: number): number {
    let value = 0;
    for (let place = 1; ; place *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || place > 2 ** 28) throw new BrokenBytes();
      value += (byte & 0x7f) * place;
      if (byte >= 0x80) continue;
      if ((byte === 0 && place > 1) || value < least || value > most) throw new BrokenBytes();
      return value;
    }
  }

  /** How many things follow of at least so many bytes each. */
  count(bytesEach: number): number {
    return this.number(0, Math.floor(this.left / bytesEach));
  }

  large(): number {
    const bytes = this.raw(LARGE_BYTES);
    const low = bytes[0]! + 256 * (bytes[1]! + 256 * (bytes[2]! + 256 * bytes[3]!));
    const high = bytes[4]! + 256 * (bytes[5]! + 256 * bytes[6]!);
    if (high >= 2 ** 21) throw new BrokenBytes();
    return high * TWO_32 + low;
  }

  text(): string {
    const bytes = this.raw(this.count(1));
    try {
      return this.#decoder.decode(bytes);
    } catch {
      throw new BrokenBytes();
    }
  }

  raw(length: number): Uint8Array {
    if (length > this.left) throw new BrokenBytes();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  integers(length: number): Int8Array {
    return new Int8Array(this.raw(length));
  }

  /** Finite ones. */
  floats(length: number): Float32Array {
    if (4 * length > this.left) throw new BrokenBytes();
    const values = new Float32Array(length);
    for (let i = 0; i < length; i++, this.#at += 4) {
      const value = this.#view.getFloat32(this.#at, true);
      if (!Number.isFinite(value)) throw new BrokenBytes();
      values[i] = value;
    }
    return values;
  }
}
