import type { INestApplicationContext } from '@nestjs/common';
import { PayoutService } from './modules/payout/index.js';
import { ProjectionService } from './modules/projection/index.js';

export interface Rebuilt {
  readonly events: number;
  readonly eventsBefore: number;
  /** SHA-256 over every row of the projection. */
  readonly digest: string;
  /** Whether the tables are byte for byte what they were; null when there was more to tell than before. */
  readonly identical: boolean | null;
  readonly accountsChecked: number;
  /** Whether every balance is the chain's. */
  readonly agrees: boolean;
}

/**
 * Empties the projection and replays the chain from its first event. An API may go on beside it: both apply each event
 * once, and its answers are incomplete until this ends.
 */
export async function rebuildProjection(app: INestApplicationContext): Promise<Rebuilt> {
  const projection = app.get(ProjectionService, { strict: false });
  const [eventsBefore, digestBefore] = [await projection.appliedSeq(), await projection.digest()];
  await projection.reset();
  const [events, digest] = [await projection.catchUp(), await projection.digest()];
  const identical = eventsBefore === events ? digestBefore === digest : null;
  const { agrees, accountsChecked } = await app.get(PayoutService, { strict: false }).reconcileAll();
  return { events, eventsBefore, digest, identical, accountsChecked, agrees };
}
