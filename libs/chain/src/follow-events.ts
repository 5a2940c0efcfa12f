import { refuse, UsufructError } from '@usufruct/kernel';
import { LIMITS, type ChainEvent } from '@usufruct/protocol';
import type { ChainReader } from './port.js';

export interface FollowOptions {
  /** The last event that was handled; 0 for none. Kept by the caller, together with what it did with the event. */
  readonly after: number;
  /** The chain that `after` counts on; a chain with another id is refused instead of followed. */
  readonly chainId?: string;
  /** Handle events in order. The next ones come when it has resolved; what it throws ends the following. */
  readonly onEvents: (events: readonly ChainEvent[]) => Promise<void> | void;
  /** Told each time that the chain could not be reached; the following goes on. */
  readonly onUnavailable?: (error: UsufructError) => void;
  readonly signal: AbortSignal;
  readonly limit?: number;
  /** How long one request waits for the first event. */
  readonly waitMs?: number;
  /** Pause before the chain is asked again after it could not be reached. */
  readonly retryMs?: number;
}

/**
 * Follow the chain's events from where the caller stopped, until the signal aborts; then it resolves. Every event is
 * handed over once and in order. Refuses `CHAIN_EVENTS_BROKEN` at the first gap, repetition or reorder, and when the
 * chain behind the address is another one: going on would make a projection that nobody can trust.
 */
export async function followEvents(reader: ChainReader, options: FollowOptions): Promise<void> {
  const { onEvents, onUnavailable, signal, limit = LIMITS.eventsPage, waitMs = 20_000, retryMs = 500 } = options;
  let after = options.after;
  let identified = false;
  while (!signal.aborted) {
    let events: ChainEvent[];
    try {
      if (!identified) await requireChain(reader, options.chainId);
      identified = true;
      events = await reader.events(after, { limit, waitMs, signal });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof UsufructError) || error.code !== 'CHAIN_UNAVAILABLE') throw error;
      onUnavailable?.(error);
      identified = false;
      await pause(retryMs, signal);
      continue;
    }
    requireNext(events, after);
    if (events.length > 0) await onEvents(events);
    after += events.length;
  }
}

async function requireChain(reader: ChainReader, chainId: string | undefined): Promise<void> {
  if (chainId === undefined) return;
  const info = await reader.info();
  if (info.chainId !== chainId) {
    throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'another chain', expected: chainId, found: info.chainId });
  }
}

/** Refuses `CHAIN_EVENTS_BROKEN` at the first event that does not follow the one before. */
export function requireNext(events: readonly ChainEvent[], after: number): void {
  for (const [index, { seq }] of events.entries()) {
    const expected = after + 1 + index;
    if (seq !== expected) throw refuse('CHAIN_EVENTS_BROKEN', { expected: String(expected), found: String(seq) });
  }
}

const pause = (waitMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    signal.addEventListener('abort', done);
  });
