import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { refuse, toHex32, UsufructError, type Digest, type Hex32 } from '@usufruct/kernel';
import { decodeManifest, manifestDigest, SignedManifestBcs, type Manifest } from '@usufruct/protocol';
import type { StorePort } from '../../platform/store/index.js';
import { STORE } from '../../platform/tokens.js';
import { blobIdOf } from './blob-id.js';
import type { KeptContribution } from './lease.repository.js';

/** What one aggregator answered: `silent` says nothing about the blob, the others do. */
export type ReadOutcome = 'readable' | 'missing' | 'wrong' | 'silent';
export interface Reading {
  readonly outcome: ReadOutcome;
  /** The very bytes that were registered; with `readable` only. */
  readonly bytes: Uint8Array | null;
}

type Aggregator = StorePort['aggregators'][number];
/** Whether bytes are the ones that the contributor signed for. */
type Recognise = (bytes: Uint8Array) => boolean;

/**
 * Reads a contribution's blobs and knows the right bytes when it sees them: the manifest by the digest that is
 * registered on the chain, a part by the hash in that manifest. No word of a store is trusted, and no key is needed.
 */
@Injectable()
export class BlobSource {
  constructor(@Inject(STORE) private readonly store: StorePort) {}

  /** One reading per aggregator. Without any readable manifest, the manifest is what is read. */
  async read(
    contribution: KeptContribution,
    blob: Hex32,
    signal: AbortSignal,
  ): Promise<{ blob: Hex32; readings: Reading[] }> {
    const manifestBlob = contribution.manifestBlob.blob;
    const ofManifest = await this.readings(manifestBlob, isManifestOf(contribution), signal);
    const manifest = manifestOf(ofManifest);
    if (blob === manifestBlob || manifest === null) return { blob: manifestBlob, readings: ofManifest };
    const part = manifest.parts.find((candidate) => candidate.blob === blob);
    // A blob of the chain's record that the manifest does not name was never a part of anything.
    if (part === undefined) throw refuse('MANIFEST_MISMATCH', { contributionId: contribution.id });
    return { blob, readings: await this.readings(blob, hasDigest(part.sha256), signal) };
  }

  /** From whichever aggregator has them. Refuses `BLOB_UNAVAILABLE`. */
  async bytesOf(contribution: KeptContribution | null, blob: Hex32, signal: AbortSignal): Promise<Uint8Array> {
    if (contribution === null) throw refuse('TOMBSTONED');
    const { blob: found, readings } = await this.read(contribution, blob, signal);
    const bytes = readings.find((reading) => reading.bytes !== null)?.bytes ?? null;
    if (found !== blob || bytes === null) throw refuse('BLOB_UNAVAILABLE', { contributionId: contribution.id });
    return bytes;
  }

  private readings(blob: Hex32, isRight: Recognise, signal: AbortSignal): Promise<Reading[]> {
    return Promise.all(this.store.aggregators.map((aggregator) => readFrom(aggregator, blob, isRight, signal)));
  }
}

async function readFrom(
  aggregator: Aggregator,
  blob: Hex32,
  isRight: Recognise,
  signal: AbortSignal,
): Promise<Reading> {
  const blobId = blobIdOf(blob);
  try {
    const bytes = await aggregator.get(blobId, { fresh: true, signal });
    return isRight(bytes) ? { outcome: 'readable', bytes } : { outcome: 'wrong', bytes: null };
  } catch (error) {
    if (!(error instanceof UsufructError)) throw error;
    if (error.code === 'BLOB_MISMATCH') return { outcome: 'wrong', bytes: null };
  }
  // "Not there" and "no answer" read alike: only the store's own word that it is not there counts as that.
  try {
    const { available } = await aggregator.status(blobId, { signal });
    return { outcome: available ? 'silent' : 'missing', bytes: null };
  } catch (error) {
    if (!(error instanceof UsufructError)) throw error;
    return { outcome: 'silent', bytes: null };
  }
}

const isManifestOf =
  ({ manifestDigest: registered }: KeptContribution): Recognise =>
  (bytes) => {
    const signed = signedManifest(bytes);
    return signed !== null && manifestDigest(signed) === registered;
  };

const hasDigest =
  (sha256: Digest): Recognise =>
  (bytes) =>
    toHex32(new Uint8Array(createHash('sha256').update(bytes).digest())) === sha256;

function manifestOf(readings: readonly Reading[]): Manifest | null {
  const bytes = readings.find((reading) => reading.bytes !== null)?.bytes ?? null;
  const signed = bytes === null ? null : signedManifest(bytes);
  return signed === null ? null : decodeManifest(signed);
}

function signedManifest(bytes: Uint8Array): Uint8Array | null {
  try {
    return SignedManifestBcs.parse(bytes).manifest;
  } catch {
    return null;
  }
}
