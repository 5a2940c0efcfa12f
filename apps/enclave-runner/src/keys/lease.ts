import { refuse, type Digest, type TimestampMs } from '@usufruct/kernel';

/**
 * A key of an index or of checkpoints, for as long as the holders gave it. It lives in the TEE's memory alone; when the
 * lease has ended it is erased, whoever asks for it, and must be leased again.
 */
export class Lease {
  #key: Uint8Array | null;

  constructor(
    readonly keyId: Digest,
    readonly endsAtMs: TimestampMs,
    key: Uint8Array,
  ) {
    this.#key = key;
  }

  /**
   * 32 bytes, for what is done at this moment: whoever keeps them keeps them longer than they were given for. Refuses
   * `LEASE_EXPIRED`.
   */
  keyAt(nowMs: TimestampMs): Uint8Array {
    if (nowMs >= this.endsAtMs) this.drop();
    if (this.#key === null) throw refuse('LEASE_EXPIRED', { keyId: this.keyId });
    return this.#key;
  }

  drop(): void {
    this.#key?.fill(0);
    this.#key = null;
  }
}
