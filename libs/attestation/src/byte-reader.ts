/** Reads fields of known sizes in order; what is missing shows at the end, in `isWhole` and `isDone`. */
export class ByteReader {
  private at = 0;
  private failed = false;

  constructor(private readonly bytes: Uint8Array) {}

  /** A view of the next bytes; an empty array once anything was missing. */
  take(length: number): Uint8Array {
    const end = this.at + length;
    if (this.failed || end > this.bytes.length) {
      this.failed = true;
      return new Uint8Array();
    }
    const part = this.bytes.subarray(this.at, end);
    this.at = end;
    return part;
  }

  u16(): number {
    return this.little(2);
  }

  u24(): number {
    return this.little(3);
  }

  u32(): number {
    return this.little(4);
  }

  get offset(): number {
    return this.at;
  }

  /** Everything was there so far. */
  get isWhole(): boolean {
    return !this.failed;
  }

  /** Everything was there and nothing is left. */
  get isDone(): boolean {
    return !this.failed && this.at === this.bytes.length;
  }

  private little(length: number): number {
    return this.take(length).reduceRight((value, byte) => value * 256 + byte, 0);
  }
}
