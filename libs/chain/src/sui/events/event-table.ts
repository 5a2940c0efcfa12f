import { refuse } from '@usufruct/kernel';
import type { ChainEventData } from '@usufruct/protocol';
import { EVENT_LAYOUTS, type MoveEventName } from '../layout/events.js';
import { readMove, type MoveStruct } from '../layout/move-types.js';
import { DAO_ROWS } from './dao-rows.js';
import { DATA_ROWS } from './data-rows.js';
import { GOVERNANCE_ROWS } from './governance-rows.js';
import { JOB_ROWS } from './job-rows.js';
import { LIFECYCLE_ROWS } from './lifecycle-rows.js';
import { PAYOUT_ROWS } from './payout-rows.js';
import { UPGRADE_ROWS } from './upgrade-rows.js';
import type { ObjectIndex } from './object-index.js';
import type { EventRow, EventRows, EventValue } from './row.js';

/** Which object of Walrus is where: nothing that a DAO decides by. */
const ABOUT_AN_OBJECT = { dao: () => null, data: () => null };

/** One row per event of the contracts; the type says which is missing. */
const EVENTS: EventRows<MoveEventName> = {
  ...DAO_ROWS,
  ...DATA_ROWS,
  ...JOB_ROWS,
  ...GOVERNANCE_ROWS,
  ...LIFECYCLE_ROWS,
  ...PAYOUT_ROWS,
  ...UPGRADE_ROWS,
  BlobPutInCustody: ABOUT_AN_OBJECT,
  BlobWithdrawn: ABOUT_AN_OBJECT,
};

const LAYOUTS: { readonly [K in MoveEventName]: MoveStruct<EventValue<K>> } = EVENT_LAYOUTS;
/** By the name of the Move struct, its module included. */
const NAMES = new Map(
  Object.entries(EVENT_LAYOUTS).map(([name, layout]) => [layout.move, name as MoveEventName] as const),
);

/**
 * Take one event of the contracts in: the index learns from it, and what the protocol calls it comes back; null for
 * one that only the index needs, or that belongs to a DAO of another coin or to another package's timelock. Refuses `CHAIN_EVENTS_BROKEN` for one that
 * this version does not know: it can tell neither what it means nor what was left out.
 */
export function takeEvent(
  struct: string,
  bytes: Uint8Array,
  index: ObjectIndex,
  coinType: string,
): ChainEventData | null {
  const name = NAMES.get(struct);
  if (name === undefined) throw refuse('CHAIN_EVENTS_BROKEN', { reason: `an event that is not known: ${struct}` });
  return take(name, bytes, index, coinType);
}

function take<N extends MoveEventName>(
  name: N,
  bytes: Uint8Array,
  index: ObjectIndex,
  coinType: string,
): ChainEventData | null {
  const row: EventRow<N> = EVENTS[name];
  const event = decode<N>(name, bytes);
  const daoId = row.dao(event, index);
  if (daoId !== null && index.registry === null) {
    throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'the history begins after the registry was opened' });
  }
  row.learn?.(event, index);
  return daoId !== null && index.daos.known(daoId).coin !== coinType ? null : row.data(event, index);
}

function decode<N extends MoveEventName>(name: N, bytes: Uint8Array): EventValue<N> {
  try {
    return readMove<EventValue<N>>(LAYOUTS[name], bytes);
  } catch (cause) {
    throw refuse('CHAIN_EVENTS_BROKEN', { reason: `an event of another shape: ${name}` }, cause);
  }
}
