import type { Digest, GrantId } from '@usufruct/kernel';
import type { DaoView, JobView, Manifest } from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';

export interface KeyRequest {
  readonly job: JobView;
  readonly dao: DaoView;
  readonly wanted: readonly {
    readonly manifest: Manifest;
    /** Under which the runner would use it, by its own decision. Whoever gives out keys decides for itself. */
    readonly grantId: GrantId;
  }[];
}

export interface ReleasedKeys {
  /** Of the bundle that was shown for the keys; `NO_EVIDENCE` where nobody asked for one. */
  readonly evidenceDigest: Digest;
  /** The key of the envelope of a contribution that was asked for; refuses with why there is none. */
  sessionKeyOf(manifest: Manifest): Uint8Array;
}

/**
 * Who gives the runner the keys of contributions. There are two, and each manifest says by which of them its key is
 * given out: the DAO's key holders, and Seal's key servers, the weaker (`SealedKeys`).
 */
export type KeyPort = (context: RunnerContext, request: KeyRequest) => Promise<ReleasedKeys>;
