import { bcs } from '@mysten/bcs';
import type { Address, DaoId, DatasetId, JobId, TimestampMs } from '@usufruct/kernel';
import { z } from 'zod';
import { byteVector, bytes32, u64Number } from './bcs-types.js';
import { decodeCanonical } from './decode-canonical.js';
import { zBase64 } from './wire.js';

/**
 * What a runner signs (tag `walkNotice`) when somebody seems to walk through a dataset: nearly every answer showed what
 * was not shown before, to questions that have nothing in common. Counts and public ids; no question, no answer, and no
 * contribution. A sign for the DAO's members and the contributors to look at, and no proof of anything but that this
 * runner said so.
 */
export interface WalkNotice {
  readonly chainId: string;
  readonly daoId: DaoId;
  readonly datasetId: DatasetId;
  /** The address that funded the jobs; `jobId` is the last of them. */
  readonly asker: Address;
  readonly jobId: JobId;
  /** The last answers, so many, showed `covered` new passages of the dataset's `passages`. */
  readonly answers: number;
  readonly covered: number;
  readonly passages: number;
  /** Ed25519, 32 bytes: the attested key. */
  readonly runnerSigningKey: Uint8Array;
  readonly noticedAtMs: TimestampMs;
}

export const WalkNoticeBcs = bcs.struct('WalkNotice', {
  chainId: bcs.string(),
  daoId: bytes32<DaoId>(),
  datasetId: bytes32<DatasetId>(),
  asker: bytes32<Address>(),
  jobId: bytes32<JobId>(),
  answers: bcs.u32(),
  covered: bcs.u32(),
  passages: bcs.u32(),
  runnerSigningKey: byteVector(),
  noticedAtMs: u64Number<TimestampMs>(),
});
const MOST_BYTES = 512;

/** Null for what is none. */
export const decodeWalkNotice = (bytes: Uint8Array): WalkNotice | null =>
  decodeCanonical(WalkNoticeBcs, bytes, MOST_BYTES);

/** `notice`: WalkNoticeBcs. */
export const zSignedWalkNotice = z.object({ notice: zBase64(MOST_BYTES), signature: zBase64(64) });
export type SignedWalkNotice = z.output<typeof zSignedWalkNotice>;
/** Of one runner: one for each asker and dataset, the newest first. */
export const zWalkNotices = z.object({ notices: z.array(zSignedWalkNotice).max(100) });
