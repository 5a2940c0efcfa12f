import type { DatabaseSync } from 'node:sqlite';
import type { HolderSetId } from '@usufruct/kernel';
import { zHolderSetView, type HolderSetView } from '@usufruct/protocol';

/**
 * Versions of holder sets as this holder saw them on the chain when it received sub-shares for them. The chain shows the
 * newest version alone; what was received for an earlier one may still have to come to shares.
 */
export class SetVersionsStore {
  constructor(private readonly database: DatabaseSync) {}

  /** To be called in a transaction. */
  keep(set: HolderSetView): void {
    this.database
      .prepare('INSERT OR IGNORE INTO set_versions VALUES (?, ?, ?)')
      .run(set.id, set.version, JSON.stringify(set));
  }

  find(holderSetId: HolderSetId, version: number): HolderSetView | undefined {
    const query = 'SELECT holder_set FROM set_versions WHERE holder_set_id = ? AND version = ?';
    const text = this.database.prepare(query).get(holderSetId, version)?.['holder_set'];
    return typeof text === 'string' ? zHolderSetView.parse(JSON.parse(text)) : undefined;
  }
}
