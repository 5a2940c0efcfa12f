import type { TimestampMs } from './units.js';

/** Pure code gets the time and randomness as arguments; only `main` files pass the system's. */
export interface Clock {
  nowMs(): TimestampMs;
}
export type RandomSource = (lengthBytes: number) => Uint8Array;

export const systemClock: Clock = { nowMs: () => Date.now() as TimestampMs };

/** The platform's CSPRNG. `getRandomValues` fills at most 65,536 bytes a call; nothing here asks for more. */
export const systemRandom: RandomSource = (lengthBytes) => crypto.getRandomValues(new Uint8Array(lengthBytes));

/** One structured line per event. Callers pass ids, codes and counts; never payloads, keys or stacks. */
export interface Logger {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

export function jsonLogger(service: string, clock: Clock, write: (line: string) => void): Logger {
  const at =
    (level: string) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
      write(
        JSON.stringify({ at: new Date(clock.nowMs()).toISOString(), level, service, event, ...fields }, bigintAsText),
      );
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

const bigintAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);
