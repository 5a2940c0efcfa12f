import { UsufructError, type BlobId, type Hex32 } from '@usufruct/kernel';
import { zBlobReference } from '@usufruct/protocol';
import type { ClientContext } from '../context.js';
import { readRecord, type Journal } from '../journal.js';
import { blobIdOf } from './manifest-blob.js';
import { mapWindow } from './map-window.js';
import { CONTRIBUTIONS, zPart, type ContributionRecords } from './records.js';

/** Blobs that contributions which this client has begun and not registered yet lie in; of one, with its prefix. */
export async function blobsOfUnfinished(journal: Journal, prefix = CONTRIBUTIONS): Promise<Set<Hex32>> {
  const blobs = new Set<Hex32>();
  for (const key of await journal.keys(prefix)) {
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

/** Before a blob that could lie in a quilt is sent alone: should the answer be lost, it may be paid, by whomever. */
export const beginAlone = (journal: Journal, recordKey: string): Promise<void> =>
  journal.put(`${recordKey}/alone`, '{}');

/** Whether it was, or the store remembers an upload of it: then it comes into no quilt, which would pay it again. */
export const isBegunAlone = async (journal: Journal, recordKey: string): Promise<boolean> =>
  (await journal.keys(`${recordKey}/`)).length > 0;

const ASKED_AT_ONCE = 8;
/** A quilt that was just seen is not asked for again by each of the hundreds that lie in it. */
const SEEN_FOR_MS = 60_000;
const seenAtMs = new WeakMap<object, Map<Hex32, number>>();

/**
 * Whether the store says, twice, that it has not what an earlier run stored of a contribution: the lease may have ended
 * since, or somebody deleted it. Its silence proves nothing.
 */
export async function isLost(context: ClientContext, { prefix }: ContributionRecords): Promise<boolean> {
  const { journal, store, clock } = context;
  const seen = seenAtMs.get(store) ?? new Map<Hex32, number>();
  seenAtMs.set(store, seen);
  const now = clock.nowMs();
  const blobs = [...(await blobsOfUnfinished(journal, prefix))];
  const asked = blobs.filter((blob) => now - (seen.get(blob) ?? 0) > SEEN_FOR_MS);
  const lost = await mapWindow(each(asked), ASKED_AT_ONCE, async (blob) => {
    const isGone = await saysTwiceNo(store, blobIdOf(blob));
    if (!isGone) seen.set(blob, now);
    return isGone;
  });
  return lost.includes(true);
}

async function saysTwiceNo(store: ClientContext['store'], blobId: BlobId): Promise<boolean> {
  const saysNo = async (): Promise<boolean> => (await store.status(blobId).catch(orSilent))?.available === false;
  if (!(await saysNo())) return false;
  // A cache may have said it.
  const bytes = await store.get(blobId, { fresh: true }).catch(orSilent);
  return bytes === null && saysNo();
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items;
}

function orSilent(error: unknown): null {
  if (!(error instanceof UsufructError)) throw error;
  return null;
}
