/** Records that each begin with their length (u32 little-endian), from pieces that end anywhere. */
export class RecordReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#pieces = source[Symbol.asyncIterator]();
  }

  /** Bytes of its own, so that numbers of any size may be read from its start. Throws where it ends too early. */
  async record(): Promise<Uint8Array<ArrayBuffer>> {
    const length = await this.#take(4);
    return this.#take(new DataView(length.buffer).getUint32(0, true));
  }

  /** Throws unless this was all. Only then is what was read known to be whole. */
  async end(): Promise<void> {
    if (await this.#refill()) throw new TypeError('something follows the last record');
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #take(bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    // What a length says is believed only as far as bytes come: it is authentic, but so would be a mistake.
    const parts: Uint8Array[] = [];
    for (let left = bytes; left > 0;) {
      if (!(await this.#refill())) throw new TypeError('ends inside a record');
      const part = this.#piece.subarray(0, left);
      this.#piece = this.#piece.subarray(part.length);
      parts.push(part);
      left -= part.length;
    }
    const taken = new Uint8Array(bytes);
    let at = 0;
    for (const part of parts) {
      taken.set(part, at);
      at += part.length;
    }
    return taken;
  }

  async #refill(): Promise<boolean> {
    while (this.#piece.length === 0) {
      const { done, value } = await this.#pieces.next();
      if (done === true) return false;
      this.#piece = value;
    }
    return true;
  }
}
