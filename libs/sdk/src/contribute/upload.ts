import { equalBytes, fromBase64Url, refuse, toHex32 } from '@usufruct/kernel';
import { encryptEnvelope, splitIntoParts, type StreamPart } from '@usufruct/crypto';
import { LIMITS, type BlobReference, type ManifestPart } from '@usufruct/protocol';
import { QUILTED_AT_MOST_BYTES, readBack, type PutOptions } from '@usufruct/walrus';
import type { ClientContext } from '../context.js';
import { readRecord, writeRecord } from '../journal.js';
import type { ContributionKey } from './key.js';
import { mapWindow } from './map-window.js';
import type { ProgressMeter } from './progress.js';
import { zCiphertext, zPart, type ContributionRecords, type Plan } from './records.js';
import { beginAlone } from './unfinished.js';

/** Blobs of a few MiB upload, retry and cache well; LIMITS.partBytes is the most that others accept. */
export const PART_BYTES = 4 * 1024 ** 2;
const PARTS_HOLD_BYTES = LIMITS.partsPerContribution * PART_BYTES - LIMITS.envelopeBytes;

/** By the size of the file alone, so that a run that goes on cuts as the one before did. */
export const partBytesOf = (fileBytes: number): number =>
  fileBytes <= PARTS_HOLD_BYTES ? PART_BYTES : LIMITS.partBytes;

/** Parts on their way at once: the next one is encrypted while these travel, and memory stays at a few parts. */
const UPLOADS_AT_ONCE = 2;

/**
 * The file is not the one that an earlier, interrupted run began to upload. Going on would put two ciphertexts of
 * different contents under one key and salt into the world, which gives both away: a new key is needed.
 */
export class SourceChanged extends Error {}

export interface UploadParams {
  readonly context: ClientContext;
  readonly records: ContributionRecords;
  readonly plan: Plan;
  readonly key: ContributionKey;
  readonly source: () => AsyncIterable<Uint8Array>;
  readonly meter: ProgressMeter;
}

/** Encrypt, cut and store. Returns the parts in order; what an earlier run stored is not sent again. */
export async function uploadParts(params: UploadParams): Promise<ManifestPart[]> {
  const { context, records, plan, key, meter } = params;
  const stored = await storedParts(params);
  if (stored !== null) return stored;
  const ciphertext = encryptEnvelope({
    source: measured(params.source(), plan.sizeBytes, meter),
    sessionKey: key.sessionKey,
    fileName: plan.fileName,
    random: key.envelopeRandom,
  });
  const parts = await mapWindow(splitIntoParts(ciphertext, partBytesOf(plan.sizeBytes)), UPLOADS_AT_ONCE, (part) =>
    storePart(params, part),
  );
  await writeRecord(context.journal, records.ciphertext, { parts: parts.length });
  return parts;
}

/** What storing needs of a client. */
export type StorageContext = Pick<ClientContext, 'store' | 'storage' | 'signer'>;

/** Refuses `STORE_UNSUPPORTED` for terms that this store cannot keep, before anything is encrypted or paid. */
export function requireStorage({ store: { abilities }, storage = {} }: StorageContext): void {
  const { epochs, deletable = false, own = false } = storage;
  // Where the contributor owns the lease, its own wallet can end it; else this client must be able to.
  const canEnd = abilities.deletable || (own && abilities.ownable);
  if (deletable && !canEnd) throw refuse('STORE_UNSUPPORTED', { ability: 'deletable' });
  if (own && abilities.paidBy !== 'owner' && !abilities.ownable)
    throw refuse('STORE_UNSUPPORTED', { ability: 'ownable' });
  const { leaseEpochs } = abilities;
  if (epochs === undefined || leaseEpochs === null) return;
  if (!Number.isInteger(epochs) || epochs < leaseEpochs.least || epochs > leaseEpochs.most)
    throw refuse('INVALID_ARGUMENT', {
      field: 'epochs',
      expected: `an integer from ${leaseEpochs.least} to ${leaseEpochs.most}`,
    });
}

/**
 * Store bytes and prove that they can be had back: whoever pays for a lease wants to know that it holds. They are read
 * past caches, from whichever aggregator has them first, and are compared with what was sent; the id that the store gave
 * proves nothing by itself. The same `resumeKey` goes on with what an earlier run began, and pays nothing twice.
 */
export async function storeChecked(
  context: StorageContext,
  bytes: Uint8Array,
  resumeKey: string,
): Promise<BlobReference> {
  const { blobId, endEpoch } = await context.store.put(bytes, { resumeKey, ...termsOf(context) });
  const back = await readBack(() => context.store.get(blobId, { fresh: true, expected: bytes }));
  if (back !== bytes && !equalBytes(back, bytes)) throw refuse('BLOB_MISMATCH', { blobId });
  return { blob: toHex32(fromBase64Url(blobId, 'blobId')), sizeBytes: bytes.length, endEpoch };
}

/** `storeChecked` as a blob of its own; one that could have come into a quilt comes into none any more. */
export async function storeAlone(context: ClientContext, bytes: Uint8Array, recordKey: string): Promise<BlobReference> {
  if (bytes.length <= QUILTED_AT_MOST_BYTES) await beginAlone(context.journal, recordKey);
  return storeChecked(context, bytes, recordKey);
}

/** The terms of a lease, as the port takes them. */
export function termsOf({ store, storage = {}, signer }: StorageContext): Omit<PutOptions, 'resumeKey' | 'signal'> {
  const { epochs, deletable, own = false } = storage;
  return {
    ...(epochs !== undefined && { epochs }),
    ...(deletable !== undefined && { deletable }),
    ...(own && store.abilities.ownable && { owner: signer.address }),
  };
}

async function storePart(params: UploadParams, { index, bytes, sha256 }: StreamPart): Promise<ManifestPart> {
  const { context, records, meter } = params;
  const recordKey = records.part(index);
  const sizeBytes = bytes.length;
  const known = await readRecord(context.journal, recordKey, zPart);
  if (known !== null && (known.sha256 !== sha256 || known.sizeBytes !== sizeBytes)) throw new SourceChanged();
  if (known === null) await writeRecord(context.journal, recordKey, { sha256, sizeBytes, stored: null });
  const reference = known?.stored ?? (await storeAlone(context, bytes, recordKey));
  if (known === null || known.stored === null)
    await writeRecord(context.journal, recordKey, { sha256, sizeBytes, stored: reference });
  meter.uploaded(sizeBytes);
  return { blob: reference.blob, sha256, sizeBytes };
}

/** The parts of an earlier run that got through all of them; `null` when there is something left to do. */
async function storedParts({ context, records, meter }: UploadParams): Promise<ManifestPart[] | null> {
  const complete = await readRecord(context.journal, records.ciphertext, zCiphertext);
  if (complete === null) return null;
  const parts: ManifestPart[] = [];
  for (let index = 0; index < complete.parts; index++) {
    const part = await readRecord(context.journal, records.part(index), zPart);
    if (part === null || part.stored === null) return null;
    meter.uploaded(part.sizeBytes);
    parts.push({ blob: part.stored.blob, sha256: part.sha256, sizeBytes: part.sizeBytes });
  }
  return parts;
}

/** The references that the chain registers: with the end of each lease. */
export async function partReferences(
  context: ClientContext,
  records: ContributionRecords,
  count: number,
): Promise<BlobReference[]> {
  const references: BlobReference[] = [];
  for (let index = 0; index < count; index++) {
    const part = await readRecord(context.journal, records.part(index), zPart);
    if (part === null || part.stored === null)
      throw refuse('UPSTREAM_INVALID', { upstream: 'journal', field: records.part(index) });
    references.push(part.stored);
  }
  return references;
}

export async function* measured(
  source: AsyncIterable<Uint8Array>,
  expectedBytes: number,
  meter: ProgressMeter,
): AsyncGenerator<Uint8Array, void> {
  let readBytes = 0;
  for await (const piece of source) {
    readBytes += piece.length;
    if (readBytes > expectedBytes) throw sizeChanged();
    meter.encrypted(piece.length);
    yield piece;
  }
  if (readBytes !== expectedBytes) throw sizeChanged();
}

const sizeChanged = (): Error =>
  refuse('INVALID_ARGUMENT', { field: 'source', expected: 'as many bytes as were announced' });
