import type { DaoId } from '@usufruct/kernel';
import type { ChainEventData } from '@usufruct/protocol';
import type { EVENT_LAYOUTS, MoveEventName } from '../layout/events.js';
import type { ValueOf } from '../layout/move-types.js';
import type { ObjectIndex } from './object-index.js';

export type EventValue<N extends MoveEventName> = ValueOf<(typeof EVENT_LAYOUTS)[N]>;

/** What one kind of event means here. */
export interface EventRow<N extends MoveEventName> {
  /** The DAO that it belongs to; null for what belongs to none. Events of DAOs of another coin are not seen. */
  readonly dao: (event: EventValue<N>, index: ObjectIndex) => DaoId | null;
  /** What the index learns from it. Refuses `CHAIN_EVENTS_BROKEN` where a counter shows that one is missing. */
  readonly learn?: (event: EventValue<N>, index: ObjectIndex) => void;
  /** As the protocol says it; null for what only this adapter needs. */
  readonly data: (event: EventValue<N>, index: ObjectIndex) => ChainEventData | null;
}
export type EventRows<N extends MoveEventName> = { readonly [K in N]: EventRow<K> };
