import { asTimestampMs, type Clock, type TimestampMs } from '@usufruct/kernel';

/** One party's clock: wrong by so much, until somebody sets it right. */
export class SkewedClock implements Clock {
  offsetMs = 0;
  constructor(private readonly right: Clock) {}
  nowMs(): TimestampMs {
    return asTimestampMs(this.right.nowMs() + this.offsetMs);
  }
}
