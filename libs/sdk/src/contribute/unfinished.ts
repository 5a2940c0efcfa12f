import type { Hex32 } from '@usufruct/kernel';
import { zBlobReference } from '@usufruct/protocol';
import { readRecord, type Journal } from '../journal.js';
import { CONTRIBUTIONS, zPart } from './records.js';

/** Blobs that contributions which this client has begun and not registered yet lie in. */
export async function blobsOfUnfinished(journal: Journal): Promise<Set<Hex32>> {
  const blobs = new Set<Hex32>();
  for (const key of await journal.keys(CONTRIBUTIONS)) {
    if (/\/part\/\d+$/.test(key)) {
      const part = await readRecord(journal, key, zPart);
      if (part !== null && part.stored !== null) blobs.add(part.stored.blob);
    } else if (key.endsWith('/manifest-blob')) {
      const reference = await readRecord(journal, key, zBlobReference);
      if (reference !== null) blobs.add(reference.blob);
    }
  }
  return blobs;
}
