import type { ChainEvent } from '@usufruct/protocol';
import type { Database } from '../../platform/prisma/index.js';

/**
 * A module's own part of the projection: its tables hold nothing but what events say, and `apply` is all that writes
 * them. It runs inside the transaction that moves the cursor, so each event counts once.
 */
export interface Projector {
  readonly tables: readonly string[];
  apply(tx: Database, event: ChainEvent): Promise<void>;
}
