import { fromBase64, isHex32, refuse, toBase64, type Address, type BlobId, type Hex32 } from '@usufruct/kernel';
import { LIMITS, parseAnswer, zBase64, zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import type { PreparedLeaseTransaction, UploadJournal } from './ports.js';

export const zPrepared = z.object({
  digest: z.string().refine(isHex32),
  bytes: zBase64(LIMITS.transactionBytes),
  signature: z.string().max(16_384),
});

/**
 * What is remembered of one upload, rewritten before each step: what was encoded; each transaction, signed, before it is
 * sent; the object that the registration made; what the nodes signed; and when the lease ends, once the blob is certified.
 * Nothing in it is secret: the nonce keeps others from using the tip, which the relay is shown anyway.
 */
const zUpload = z.object({
  version: z.literal(1),
  sha256: zHex32<Hex32>(),
  sizeBytes: z.int(),
  epochs: z.int(),
  deletable: z.boolean(),
  owner: zHex32<Address>(),
  blobId: z.string().transform((text) => text as BlobId),
  rootHash: zBase64(32),
  nonce: zBase64(32),
  isTipped: z.boolean(),
  registration: zPrepared.nullable(),
  objectId: zHex32<Hex32>().nullable(),
  /** Paid again, when a relay found the first one too old; and how often. */
  tip: zPrepared.nullable(),
  tipsPaidAgain: z.int(),
  certificate: z
    .string()
    .max(64 * 1024)
    .nullable(),
  certification: zPrepared.nullable(),
  endEpoch: z.int().nullable(),
});
export type UploadRecord = z.output<typeof zUpload>;
export type StoredTransaction = z.output<typeof zPrepared>;

/** One upload in the journal; what is held here is what was last written there. */
export class UploadState {
  private constructor(
    private readonly journal: UploadJournal,
    private readonly key: string,
    private value: UploadRecord | null,
  ) {}

  static async open(journal: UploadJournal, resumeKey: string): Promise<UploadState> {
    const key = `${resumeKey}/upload`;
    const text = await journal.get(key);
    return new UploadState(journal, key, text === null ? null : parse(text));
  }

  get known(): UploadRecord | null {
    return this.value;
  }
  /** Once it was begun. */
  get record(): UploadRecord {
    if (this.value === null) throw refuse('INTERNAL', { part: 'upload' });
    return this.value;
  }
  async begin(value: UploadRecord): Promise<void> {
    await this.journal.put(this.key, JSON.stringify(value));
    this.value = value;
  }
  update(change: Partial<UploadRecord>): Promise<void> {
    return this.begin({ ...this.record, ...change });
  }
  async forget(): Promise<void> {
    await this.journal.delete(this.key);
    this.value = null;
  }
}

export const storedTransaction = ({ digest, bytes, signature }: PreparedLeaseTransaction): StoredTransaction => ({
  digest,
  bytes: toBase64(bytes),
  signature,
});
export const preparedTransaction = ({ digest, bytes, signature }: StoredTransaction): PreparedLeaseTransaction => ({
  digest: digest as Hex32,
  bytes: fromBase64(bytes),
  signature,
});

function parse(text: string): UploadRecord {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // refused below
  }
  return parseAnswer(zUpload, value, 'journal');
}
