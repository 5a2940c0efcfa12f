import type { RootSet } from '@usufruct/attestation';
import type { Clock, Logger } from '@usufruct/kernel';
import { EndorsementCache } from './cache.js';
import { OfflineFolder } from './offline-folder.js';
import type { EndorsementSource } from './source.js';

export interface SourceRequest {
  readonly folder: string;
  readonly roots: RootSet;
  /** The folder is only read, and no vendor is asked. */
  readonly isOffline: boolean;
  readonly clock: Clock;
  readonly log?: Logger;
}

/** The source of endorsements that a process was configured to use. */
export const openEndorsements = ({ isOffline, ...options }: SourceRequest): EndorsementSource =>
  isOffline ? new OfflineFolder(options) : new EndorsementCache(options);
