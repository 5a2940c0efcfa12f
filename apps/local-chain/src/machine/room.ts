import { refuse, type Address, type Hex32, type TimestampMs } from '@usufruct/kernel';
import type { ChainEventData, ChainInfo, RoleName } from '@usufruct/protocol';
import type { Collection, Draft, RecordOf } from './collections.js';

/** How far a party's clock may be ahead of the chain's. */
export const CLOCK_SKEW_MS = 60_000;

/** What a rule works with. */
export interface Room {
  readonly draft: Draft;
  readonly chain: ChainInfo;
  readonly sender: Address;
  /** The chain's time: never goes back. */
  readonly nowMs: TimestampMs;
  emit(event: ChainEventData): void;
}

/** The record, or `NOT_FOUND` with the kind of object and its id. */
export function mustFind<C extends Collection>(room: Room, collection: C, key: string): RecordOf<C> {
  const found = room.draft.read(collection, key);
  if (found === undefined) throw refuse('NOT_FOUND', { [collection]: key });
  return found;
}

/** An id is taken once: a client that sends again sends the same transaction, not a new one. */
export function requireNew(room: Room, collection: Collection, id: Hex32): void {
  if (room.draft.read(collection, id) !== undefined) throw refuse('ALREADY_EXISTS', { [collection]: id });
}

export function requireSender(room: Room, owner: Address): void {
  if (room.sender !== owner) throw refuse('WRONG_WALLET', { owner });
}

export function requireRole(holds: boolean, role: 'founder' | 'member' | RoleName): void {
  if (!holds) throw refuse('FORBIDDEN', { role });
}
