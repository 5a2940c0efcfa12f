import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { equalBytes, refuse, toHex32, UsufructError, type Digest, type Hex32 } from '@usufruct/kernel';
import {
  decodeManifest,
  manifestDigest,
  SignedManifestBcs,
  type BlobReference,
  type Manifest,
} from '@usufruct/protocol';
import { readPart } from '@usufruct/walrus';
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
    const { manifestBlob, manifestDigest: digest } = contribution;
    const ofManifest = await this.readings({ ...manifestBlob, digest }, isManifestOf(contribution), signal);
    const manifest = manifestOf(ofManifest);
    if (blob === manifestBlob.blob || manifest === null) return { blob: manifestBlob.blob, readings: ofManifest };
    const part = manifest.parts.find((candidate) => candidate.blob === blob);
    // A blob of the chain's record that the manifest does not name was never a part of anything.
    if (part === undefined) throw refuse('MANIFEST_MISMATCH', { contributionId: contribution.id });
    const readings = await this.readings({ ...part, digest: part.sha256 }, hasDigest(part.sha256), signal);
    return { blob, readings };
  }

  /**
   * All of a blob that holds the contribution's bytes, the whole quilt where it is one, from whichever aggregator has it.
   * That a quilt is the very one, only its id says. Refuses `BLOB_UNAVAILABLE`.
   */
  async wholeOf(contribution: KeptContribution, blob: Hex32, signal: AbortSignal): Promise<Uint8Array> {
    const { blob: found, readings } = await this.read(contribution, blob, signal);
    const absent = refuse('BLOB_UNAVAILABLE', { contributionId: contribution.id });
    if (found !== blob) throw absent;
    for (const [i, { bytes }] of readings.entries()) {
      if (bytes === null) continue;
      const whole = await this.store.aggregators[i]!.get(blobIdOf(blob), { fresh: true, signal }).catch(() => null);
      // As long as what is signed, it must be that; longer, it is a quilt that holds it.
      if (whole !== null && (whole.length !== bytes.length || equalBytes(whole, bytes))) return whole;
    }
    throw absent;
  }

  /** Whether what the contribution has in a blob can be read there; `unknown` where an aggregator does not answer. */
  async holds(
    contribution: KeptContribution,
    blob: Hex32,
    signal: AbortSignal,
  ): Promise<'holds' | 'absent' | 'unknown'> {
    const { blob: found, readings } = await this.read(contribution, blob, signal);
    const outcomes = readings.map(({ outcome }) => outcome);
    if (found === blob && outcomes.includes('readable')) return 'holds';
    return outcomes.includes('silent') ? 'unknown' : 'absent';
  }

  /** Whether every aggregator says that it has nothing at all under this id. */
  async isGone(blob: Hex32, signal: AbortSignal): Promise<boolean> {
    const has = async (aggregator: Aggregator): Promise<boolean> =>
      (await aggregator.status(blobIdOf(blob), { signal }).catch(() => null))?.available !== false;
    return !(await Promise.all(this.store.aggregators.map(has))).includes(true);
  }

  private readings(name: Named, isRight: Recognise, signal: AbortSignal): Promise<Reading[]> {
    return Promise.all(this.store.aggregators.map((aggregator) => readFrom(aggregator, name, isRight, signal)));
  }
}

/** What is looked for: a blob, or a file of this digest in it. */
type Named = Pick<BlobReference, 'blob' | 'sizeBytes'> & { readonly digest: Digest };

async function readFrom(
  aggregator: Aggregator,
  { blob, sizeBytes, digest }: Named,
  isRight: Recognise,
  signal: AbortSignal,
): Promise<Reading> {
  const blobId = blobIdOf(blob);
  try {
    const bytes = await readPart(aggregator, { blobId, digest, sizeBytes }, isRight, { fresh: true, signal });
    return { outcome: 'readable', bytes };
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
