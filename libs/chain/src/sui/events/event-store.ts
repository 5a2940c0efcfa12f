/** One transaction with events of ours, as it is kept: its bytes, and the digest of these and of all before them. */
export interface KeptRecord {
  readonly record: Uint8Array;
  readonly chained: Uint8Array;
}
export interface KeptRecords {
  /** Which question to the ledger the records answer; null where nothing was ever kept. */
  readonly scope: string | null;
  /** In their order, the first at place 1. */
  readonly records: readonly KeptRecord[];
}

/**
 * Keeps what was read of a Sui network over restarts: the durable cursor of its events. It stores and gives back; what
 * the bytes are, and whether they are still what was stored, is judged by who asks. Several processes may share one,
 * because all of them read the same ledger.
 */
export interface SuiEventStore {
  /** Refuses `CHAIN_EVENTS_BROKEN` for a file that cannot be read as one of these. */
  load(): Promise<KeptRecords>;
  /**
   * Keep records at the places after `after`, all or none, durable when it resolves. What is there already and is the
   * same stays. Refuses `CHAIN_EVENTS_BROKEN` for another one at its place, or a place that leaves a gap.
   */
  append(scope: string, after: number, records: readonly KeptRecord[]): Promise<void>;
}
