import type { PartName } from './settings.js';

/** Something that happened to a part and that the operator should see. */
export interface PartEvent {
  readonly part: PartName;
  readonly text: string;
}

/** One process of the local system. */
export interface Part {
  readonly name: PartName;
  readonly pid: number | undefined;
  /** Resolves when the part is ready; rejects with what it last said. */
  start(): Promise<void>;
  /** Asks it to stop, waits, and insists if it does not. */
  stop(): Promise<void>;
  /** Ends it at once and leaves it ended: what tests use to see what survives. Resolves when it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const CALM_AFTER_MS = 30_000;

/** How long to wait before each restart of a part that keeps crashing. */
export class BackOff {
  private pauseMs = FIRST_PAUSE_MS;

  next(upMs: number): number {
    if (upMs > CALM_AFTER_MS) this.pauseMs = FIRST_PAUSE_MS;
    const pauseMs = this.pauseMs;
    this.pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    return pauseMs;
  }
}
