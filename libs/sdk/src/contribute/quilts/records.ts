import { fromBase64, type Hex32 } from '@usufruct/kernel';
import { manifestDigest, zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import { deleteAll, readRecord, writeRecord, type Journal } from '../../journal.js';
import { ContributionRecords, zPart, zSigned } from '../records.js';

/** What all records of quilts begin with. */
const QUILTS = 'quilts/';

/**
 * What the journal holds of a quilt that is being stored, under `quilts/<id>/`: `plan`, whose files lie in it, before it
 * is sent, and where it lies, after; and what the store remembers of its upload. It goes when every contribution has
 * noted where its part lies.
 */
const zQuilt = z.object({
  version: z.literal(1),
  of: z.enum(['parts', 'manifests']),
  files: z.array(z.object({ key: z.string(), digest: zHex32<Hex32>(), sizeBytes: z.int() })),
  stored: z.object({ blob: zHex32<Hex32>(), endEpoch: z.int() }).nullable(),
});
export type QuiltRecord = z.output<typeof zQuilt>;

export const quiltPrefix = (id: string): string => `${QUILTS}${id}/`;
const planOf = (prefix: string): string => `${prefix}plan`;

export const readQuilt = (journal: Journal, prefix: string): Promise<QuiltRecord | null> =>
  readRecord(journal, planOf(prefix), zQuilt);
export const writeQuilt = (journal: Journal, prefix: string, quilt: QuiltRecord): Promise<void> =>
  writeRecord(journal, planOf(prefix), quilt);
export const forgetQuilt = (journal: Journal, prefix: string): Promise<void> => deleteAll(journal, prefix);

/** Quilts that were begun and are not done with, by the prefix of their records. */
export async function unfinishedQuilts(journal: Journal): Promise<Map<string, QuiltRecord>> {
  const found = new Map<string, QuiltRecord>();
  for (const key of await journal.keys(QUILTS)) {
    if (!key.endsWith('/plan')) continue;
    const prefix = key.slice(0, -'plan'.length);
    const quilt = await readQuilt(journal, prefix);
    if (quilt !== null) found.set(prefix, quilt);
  }
  return found;
}

/** Tell every contribution of quilts that are stored where its part or its manifest lies: nothing is sent for it again. */
export async function noteStoredQuilts(journal: Journal): Promise<void> {
  for (const [prefix, quilt] of await unfinishedQuilts(journal)) {
    if (quilt.stored !== null) await noteStored(journal, prefix, quilt);
  }
}

export async function noteStored(journal: Journal, prefix: string, { of, files, stored }: QuiltRecord): Promise<void> {
  if (stored === null) return;
  for (const { key, digest, sizeBytes } of files) {
    const records = new ContributionRecords(key);
    const reference = { blob: stored.blob, sizeBytes, endEpoch: stored.endEpoch };
    if (of === 'parts') {
      const part = await readRecord(journal, records.part(0), zPart);
      // Given up since, or begun anew under another key: then this is not its part any more.
      if (part === null || part.sha256 !== digest) continue;
      await writeRecord(journal, records.part(0), { ...part, stored: part.stored ?? reference });
      await writeRecord(journal, records.ciphertext, { parts: 1 });
    } else {
      const signed = await readRecord(journal, records.manifest, zSigned);
      if (signed === null || manifestDigest(fromBase64(signed.manifest)) !== digest) continue;
      if ((await journal.get(records.manifestBlob)) !== null) continue;
      await writeRecord(journal, records.manifestBlob, reference);
    }
  }
  await forgetQuilt(journal, prefix);
}
