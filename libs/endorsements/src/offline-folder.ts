import type { EndorsementItem, RootSet } from '@usufruct/attestation';
import type { Clock } from '@usufruct/kernel';
import type { EvidenceBundle } from '@usufruct/protocol';
import { combine } from './cache.js';
import { EndorsementFolder, type HeldItem } from './folder/endorsement-folder.js';
import type { EndorsementSource, FoundEndorsements } from './source.js';
import { statusOf, type EndorsementStatus } from './status.js';
import { obtainNeeds } from './obtain.js';
import { unusableNow } from './validity.js';

export interface OfflineFolderOptions {
  /** A copy of a cache's folder. It is only read. */
  readonly folder: string;
  readonly roots: RootSet;
  readonly clock: Clock;
}

/** Endorsements that were carried to where no vendor can be reached: used while their signed validity lasts. */
export class OfflineFolder implements EndorsementSource {
  private readonly folder: EndorsementFolder;

  constructor(private readonly options: OfflineFolderOptions) {
    this.folder = new EndorsementFolder(options.folder, options.roots);
  }

  async endorsementsFor(bundle: EvidenceBundle): Promise<FoundEndorsements> {
    return combine(await obtainNeeds(bundle, this.options.roots, ({ item }) => this.read(item)));
  }

  /** What is in the folder, and what it is worth now. */
  status(): Promise<readonly EndorsementStatus[]> {
    return statusOf(this.folder, this.options.clock.nowMs());
  }

  private async read(item: EndorsementItem): Promise<{ readonly held: HeldItem | null; readonly reason: string }> {
    const found = await this.folder.read(item);
    if (found === null) return { held: null, reason: 'it is not in the folder' };
    if ('flaw' in found) return { held: null, reason: found.flaw };
    const reason = unusableNow(found, this.options.clock.nowMs());
    return reason === null ? { held: found, reason: '' } : { held: null, reason };
  }
}
