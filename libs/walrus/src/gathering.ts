import { equalBytes } from '@usufruct/kernel';

/**
 * An answer as it comes, in as little memory as can be: none while it is what was expected, one buffer where its length
 * was said truly, and a buffer that grows where not.
 */
export class Gathering {
  #buffer: Uint8Array<ArrayBuffer> | null = null;
  #totalBytes = 0;

  /** Whatever `likelyBytes` say, no more than `maxBytes` are taken. */
  constructor(
    private readonly likelyBytes: number,
    private readonly maxBytes: number,
    private readonly expected: Uint8Array | undefined,
  ) {}

  /** Whether the piece was still within the limit. */
  add(piece: Uint8Array): boolean {
    const start = this.#totalBytes;
    const end = start + piece.length;
    if (end > this.maxBytes) return false;
    this.#totalBytes = end;
    if (this.#buffer === null && this.expected !== undefined && equalBytes(this.expected.subarray(start, end), piece))
      return true;
    const buffer = this.#roomFor(start, end);
    buffer.set(piece, start);
    return true;
  }

  whole(): Uint8Array {
    const totalBytes = this.#totalBytes;
    const bytes = this.#buffer ?? this.expected ?? new Uint8Array();
    return totalBytes === bytes.length ? bytes : bytes.slice(0, totalBytes);
  }

  #roomFor(filledBytes: number, wantedBytes: number): Uint8Array<ArrayBuffer> {
    const old = this.#buffer;
    if (old !== null && wantedBytes <= old.length) return old;
    const likely = old === null ? this.likelyBytes : 2 * old.length;
    const buffer = new Uint8Array(Math.min(this.maxBytes, Math.max(wantedBytes, likely)));
    // What was the same so far is not there a second time.
    buffer.set((old ?? this.expected ?? buffer).subarray(0, filledBytes));
    this.#buffer = buffer;
    return buffer;
  }
}
