import { z } from 'zod';
import { itemOfName, type SignedValidity } from '@usufruct/attestation';

const zSha256 = z.string().regex(/^[0-9a-f]{64}$/);
const zTimeMs = z.int().nonnegative();

/** What is known of an item besides what is signed. Nothing here is trusted: it saves questions, and it can refuse. */
const zEntry = z.strictObject({
  sha256: zSha256,
  issuersSha256: zSha256.nullable(),
  /** Whose answer it is: an origin, such as https://api.trustedservices.intel.com. */
  source: z.string().max(512),
  etag: z.string().max(512).nullable(),
  fetchedAtMs: zTimeMs,
  /** Until when the vendor need not be asked again. */
  freshUntilMs: zTimeMs,
});
export type IndexEntry = z.output<typeof zEntry>;
/** The same without what is known of the files. */
export type Provenance = Omit<IndexEntry, 'sha256' | 'issuersSha256'>;

/** The newest that was ever held under a name: an older one is refused from then on, also when the file is gone. */
const zHighest = z.strictObject({
  number: z.string().regex(/^\d{1,49}$/),
  issuedAtMs: z.int(),
});
export type Highest = z.output<typeof zHighest>;

const zRow = z.strictObject({ entry: zEntry.nullable(), highest: zHighest });
const zName = z.string().refine((name) => itemOfName(name) !== null);

export const zIndex = z.strictObject({ v: z.literal(1), items: z.record(zName, zRow) });
export type FolderIndex = z.output<typeof zIndex>;
export const EMPTY_INDEX: FolderIndex = { v: 1, items: {} };

export const highestOf = ({ number, issuedAtMs }: SignedValidity): Highest => ({
  number: number.toString(),
  issuedAtMs,
});

/** True if a document of this number and date is older than one that was held before. */
export const isOlder = (found: SignedValidity, { number, issuedAtMs }: Highest): boolean =>
  found.number < BigInt(number) || (found.number === BigInt(number) && found.issuedAtMs < issuedAtMs);
