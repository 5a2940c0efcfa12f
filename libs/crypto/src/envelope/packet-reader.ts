import { malformed } from './format.js';

/** Bytes from a stream of pieces, as views into them wherever that is possible. */
export class ByteReader<B extends ArrayBufferLike = ArrayBufferLike> {
  readonly #pieces: AsyncIterator<Uint8Array<B>>;
  #piece: Uint8Array<B> | undefined;
  #offset = 0;

  constructor(source: AsyncIterable<Uint8Array<B>>) {
    this.#pieces = source[Symbol.asyncIterator]();
  }

  /** From 1 to `mostBytes` bytes, or `null` at the end. The view lives as long as the piece that the source gave. */
  async next(mostBytes: number): Promise<Uint8Array<B> | null> {
    while (this.#piece === undefined || this.#offset === this.#piece.length) {
      const { done, value } = await this.#pieces.next();
      if (done === true) return null;
      this.#piece = value;
      this.#offset = 0;
    }
    const view = this.#piece.subarray(this.#offset, this.#offset + mostBytes);
    this.#offset += view.length;
    return view;
  }

  /** Tell the source that nobody will read on, so that it can let go of what it holds. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}

/**
 * The body of one packet with its length octets taken out. Only the OpenPGP format of packet headers is read: the
 * legacy one and its indeterminate lengths are not allowed for what the envelope writes.
 */
export class PacketBody<B extends ArrayBufferLike = ArrayBufferLike> {
  #left: number;
  #isLastPart: boolean;
  private constructor(
    readonly tag: number,
    private readonly reader: ByteReader<B>,
    part: PartLength,
  ) {
    this.#left = part.lengthBytes;
    this.#isLastPart = part.isLast;
  }

  /** `null` when the stream ends where a packet would begin. */
  static async open<B extends ArrayBufferLike>(reader: ByteReader<B>): Promise<PacketBody<B> | null> {
    const first = await reader.next(1);
    if (first === null) return null;
    const octet = first[0]!;
    if ((octet & 0xc0) !== 0xc0) throw malformed('not a packet header of the OpenPGP format');
    const part = await readPartLength(reader);
    return new PacketBody(octet & 0x3f, reader, part);
  }

  /** From 1 to `mostBytes` bytes, or `null` at the end of the body. */
  async next(mostBytes: number): Promise<Uint8Array<B> | null> {
    while (this.#left === 0) {
      if (this.#isLastPart) return null;
      const part = await readPartLength(this.reader);
      this.#left = part.lengthBytes;
      this.#isLastPart = part.isLast;
    }
    const view = await this.reader.next(Math.min(mostBytes, this.#left));
    if (view === null) throw malformed('ends inside a packet');
    this.#left -= view.length;
    return view;
  }

  /** Fill `target` from `offset` on; gives how far it is filled, which is less than its length only at the end. */
  async readInto(target: Uint8Array, offset: number): Promise<number> {
    let filled = offset;
    while (filled < target.length) {
      const view = await this.next(target.length - filled);
      if (view === null) break;
      target.set(view, filled);
      filled += view.length;
    }
    return filled;
  }

  async exactly(lengthBytes: number): Promise<Uint8Array> {
    const out = new Uint8Array(lengthBytes);
    if ((await this.readInto(out, 0)) < lengthBytes) throw malformed('ends inside a packet header');
    return out;
  }
}

interface PartLength {
  readonly lengthBytes: number;
  readonly isLast: boolean;
}

async function readPartLength(reader: ByteReader): Promise<PartLength> {
  const octet = async (): Promise<number> => {
    const view = await reader.next(1);
    if (view === null) throw malformed('ends inside a packet length');
    return view[0]!;
  };
  const first = await octet();
  if (first < 192) return { lengthBytes: first, isLast: true };
  if (first < 224) return { lengthBytes: ((first - 192) << 8) + (await octet()) + 192, isLast: true };
  if (first < 255) {
    // §4.2.1.4 asks for 512 in the first part only. A flood of one-byte parts costs a second a mebibyte and lets nothing
    // else run, and no writer makes it, so here every part has to have as many.
    if (first < 224 + 9) throw malformed('partial length under 512');
    return { lengthBytes: 2 ** (first - 224), isLast: false };
  }
  let lengthBytes = 0;
  for (let i = 0; i < 4; i++) lengthBytes = lengthBytes * 256 + (await octet());
  return { lengthBytes, isLast: true };
}
