import { equalBytes, fromBase64Url, refuse, toHex32, utf8, type Hex32 } from '@usufruct/kernel';
import { digestOf } from '@usufruct/crypto';
import { quiltIdentifier, readBack } from '@usufruct/walrus';
import type { ClientContext } from '../../context.js';
import { mapWindow } from '../map-window.js';
import { termsOf } from '../upload.js';
import { noteStored, quiltPrefix, readQuilt, writeQuilt, type QuiltRecord } from './records.js';

/** A part or a manifest, of the contribution with this key in the journal. */
export interface ToQuilt {
  readonly key: string;
  readonly digest: Hex32;
  readonly bytes: Uint8Array;
}

const READ_AT_ONCE = 4;

/**
 * Store these as one quilt, prove that each can be had back as readers will ask for it, and have their contributions note
 * where they lie. The same files are the same quilt: after a kill at any step they are paid once. Refuses `BLOB_MISMATCH`
 * and what the store refuses.
 */
export async function storeQuilt(
  context: ClientContext,
  of: QuiltRecord['of'],
  given: readonly ToQuilt[],
): Promise<void> {
  const { journal, store } = context;
  const prefix = quiltPrefix(quiltName(given));
  const files = given.map(({ key, digest, bytes }) => ({ key, digest, sizeBytes: bytes.length }));
  const known = await readQuilt(journal, prefix);
  if (known === null) await writeQuilt(journal, prefix, { version: 1, of, files, stored: null });
  const { blobId, endEpoch } = await store.putMany(
    given.map(({ digest, bytes }) => ({ identifier: quiltIdentifier(digest), bytes })),
    { resumeKey: prefix.slice(0, -1), ...termsOf(context) },
  );
  await mapWindow(each(given), READ_AT_ONCE, async ({ digest, bytes }) => {
    const patch = { quiltId: blobId, identifier: quiltIdentifier(digest) };
    const back = await readBack(() => store.getPatch(patch, { fresh: true }));
    if (!equalBytes(back, bytes)) throw refuse('BLOB_MISMATCH', { blobId });
  });
  const blob = toHex32<Hex32>(fromBase64Url(blobId, 'blobId'));
  const quilt: QuiltRecord = { version: 1, of, files, stored: { blob, endEpoch } };
  await writeQuilt(journal, prefix, quilt);
  await noteStored(journal, prefix, quilt);
}

/** By what lies in it, in whatever order it was given. */
const quiltName = (given: readonly ToQuilt[]): string =>
  quiltIdentifier(
    digestOf(
      utf8(
        given
          .map(({ digest }) => digest)
          .toSorted()
          .join(),
      ),
    ),
  );

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items;
}
