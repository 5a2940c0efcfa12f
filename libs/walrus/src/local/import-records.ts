import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asBlobId, type Address, type Hex32 } from '@usufruct/kernel';
import { zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import { recordOf } from './blob-files.js';
import type { LeaseTable } from './lease-table.js';

/** What the first version of the store wrote beside each blob: one lease of one owner. */
const zRecord = z.object({
  sizeBytes: z.number().int().positive(),
  sha256: z.string(),
  objectId: zHex32<Hex32>(),
  startEpoch: z.number().int(),
  endEpoch: z.number().int(),
  deletable: z.boolean(),
});

/** Takes the records of the store's first version over into the table; a kill on the way loses none of them. */
export async function importRecords(folder: string, table: LeaseTable, owner: Address): Promise<void> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.json'));
  for (const name of names) {
    const path = join(folder, name);
    const parsed = zRecord.safeParse(parseJson(await readFile(path, 'utf8')));
    const bytes = await readFile(path.replace(/\.json$/, '.blob')).catch(() => null);
    if (parsed.success && bytes !== null) {
      const { objectId, sha256, startEpoch, endEpoch, deletable } = parsed.data;
      const blobId = asBlobId(name.slice(-'.json'.length - 43, -'.json'.length));
      const isIntact = createHash('sha256').update(bytes).digest('hex') === sha256;
      const epochs = { registeredEpoch: startEpoch, certifiedEpoch: startEpoch, endEpoch };
      const lease = { objectId, blobId, owner, sizeBytes: bytes.length, deletable, ...epochs };
      if (isIntact) table.addBlob(blobId, recordOf(bytes), lease);
    }
    await rm(path);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
