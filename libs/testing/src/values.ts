import { createHash } from 'node:crypto';
import { asTimestampMs, type Clock, type Hex32, type RandomSource, type TimestampMs } from '@usufruct/kernel';

/** A valid id that is always the same for the same name. */
export const idOf = <T extends Hex32>(name: string): T =>
  `0x${createHash('sha256').update(`usufruct/testing/${name}`).digest('hex')}` as T;

/** 2026-06-01: inside every sane range. */
export const TEST_NOW_MS = asTimestampMs(Date.UTC(2026, 5, 1));

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  constructor(private atMs: TimestampMs = TEST_NOW_MS) {}
  nowMs(): TimestampMs {
    return this.atMs;
  }
  advance(byMs: number): void {
    this.atMs = asTimestampMs(this.atMs + byMs);
  }
}

/** Bytes that look random and are the same in every run: SHA-256 in counter mode over the seed. */
export function seededRandom(seed: string): RandomSource {
  let counter = 0;
  return (lengthBytes) => {
    const blocks: Uint8Array[] = [];
    for (let length = 0; length < lengthBytes; length += 32) {
      blocks.push(createHash('sha256').update(`${seed}/${counter++}`).digest());
    }
    return new Uint8Array(Buffer.concat(blocks)).slice(0, lengthBytes);
  };
}
