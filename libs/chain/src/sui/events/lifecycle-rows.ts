import { refuse, toBase64 } from '@usufruct/kernel';
import type { EventRows } from './row.js';
import { memberViews } from './wire-values.js';

/** What lasts and what ends. */
export const LIFECYCLE_ROWS: EventRows<'HolderSetRotated' | 'HolderTombstoned'> = {
  HolderSetRotated: {
    dao: () => null,
    learn: (event, index) => {
      const set = index.holderSets.known(event.holder_set_id);
      if (event.version !== set.version + 1) throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'a rotation is missing' });
      set.version = event.version;
    },
    data: (event) => ({
      type: 'HolderSetRotated',
      holderSetId: event.holder_set_id,
      version: event.version,
      members: memberViews(event),
      threshold: event.threshold,
    }),
  },
  HolderTombstoned: {
    dao: () => null,
    learn: (event, index) => void index.holderSets.known(event.holder_set_id),
    data: (event) => ({
      type: 'HolderTombstoned',
      holderSetId: event.holder_set_id,
      member: event.member,
      signingPublicKey: toBase64(event.signing_public_key),
    }),
  },
};
