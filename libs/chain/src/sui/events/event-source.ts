import type { Address, Digest, Hex32, TimestampMs } from '@usufruct/kernel';
import { normalizeStructTag } from '@mysten/sui/utils';

export interface SuiEvent {
  readonly sender: Address;
  /** The Move struct: `module::Name`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}
/** A transaction that has events of our package, with its place in the ledger and all of them in their order. */
export interface SuiEventTransaction {
  readonly checkpoint: bigint;
  /** Its place in the checkpoint, where the node says it. */
  readonly indexInCheckpoint: bigint | null;
  readonly digest: Digest;
  readonly atMs: TimestampMs;
  readonly events: readonly SuiEvent[];
}
export interface SuiEventPage {
  readonly transactions: readonly SuiEventTransaction[];
  /** Where the next page begins; null while nothing was ever seen. */
  readonly cursor: string | null;
  readonly more: boolean;
  /** Every transaction up to the end of this checkpoint was given, here or before; absent where the node does not say. */
  readonly coveredCheckpoint?: bigint;
}
/** The transactions with events of our package in the order of the ledger, from the first. */
export interface SuiEventSource {
  /** The page after a cursor; without one, the first from a checkpoint on (without that, from the beginning). */
  page(after: string | null, fromCheckpoint?: bigint | null): Promise<SuiEventPage>;
}

/** `module::Name` of an event of our package; null for any other. */
export function ownEventName(eventType: string, packageId: Hex32): string | null {
  const [address, module, name] = normalizeStructTag(eventType).split('::');
  return address === packageId && module !== undefined && name !== undefined ? `${module}::${name}` : null;
}
