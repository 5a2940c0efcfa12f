import type { Digest, ErrorCode, HolderSetId } from '@usufruct/kernel';
import type { DealingFaultReason } from '@usufruct/protocol';
import type { SeenFault } from './blame.js';

export interface ReshareOptions {
  readonly holderSetId: HolderSetId;
  /** Addresses of holders beyond the client's own: those that join, and those that left. */
  readonly holderUrls?: readonly string[];
  /** Go on without members that do not answer, as long as enough others do; they get no share before the next version. */
  readonly leaveOutAbsent?: boolean;
  readonly onProgress?: (progress: ReshareProgress) => void;
}
export interface ReshareProgress {
  readonly manifests: number;
  readonly done: number;
  readonly waiting: number;
}

/** Somebody did something wrong: a dealer or a member, by its signing key. */
export interface ReshareFault {
  readonly dealer: string | null;
  /** The member that says so, from 0; null where it could be seen from here. */
  readonly saidBy: number | null;
  readonly reason: DealingFaultReason | SeenFault | ErrorCode;
  readonly manifestDigest: Digest | null;
}
export interface WaitingManifests {
  readonly manifestDigests: readonly Digest[];
  readonly reason: 'DEALERS_MISSING' | 'MEMBERS_MISSING' | 'MANIFEST_UNAVAILABLE';
  /** How many are needed and how many there are, of dealers or members. */
  readonly needed: number;
  readonly given: number;
}
export interface ReshareReport {
  readonly holderSetId: HolderSetId;
  readonly version: number;
  readonly manifests: number;
  readonly done: number;
  /** Members of the version that did not answer, from 0. */
  readonly absent: readonly number[];
  readonly waiting: readonly WaitingManifests[];
  readonly faults: readonly ReshareFault[];
  /** Shares of holders that are no members any more, still there at those that answered. */
  readonly oldSharesLeft: number;
}
