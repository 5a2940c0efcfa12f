import { refuse, type Clock } from '@usufruct/kernel';

const MINUTE_MS = 60_000;
const KEYS_AT_MOST = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets by key, in memory: a restart forgives, which costs an attacker more than it gives. */
export class RateLimiter {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly perMinute: number,
    private readonly clock: Clock,
  ) {}

  /** Take as many as it costs; refuses `RATE_LIMITED` when fewer are left, and takes none then. */
  take(key: string, limit: string, cost = 1): void {
    const nowMs = this.clock.nowMs();
    if (this.buckets.size >= KEYS_AT_MOST) this.forgetFull(nowMs);
    const bucket = this.buckets.get(key) ?? { tokens: this.perMinute, atMs: nowMs };
    bucket.tokens = this.refilled(bucket, nowMs);
    bucket.atMs = nowMs;
    this.buckets.set(key, bucket);
    if (bucket.tokens < cost) throw refuse('RATE_LIMITED', { limit, perMinute: String(this.perMinute) });
    bucket.tokens -= cost;
  }

  private refilled({ tokens, atMs }: Bucket, nowMs: number): number {
    const gained = (Math.max(0, nowMs - atMs) * this.perMinute) / MINUTE_MS;
    return Math.min(this.perMinute, tokens + gained);
  }

  private forgetFull(nowMs: number): void {
    for (const [key, bucket] of this.buckets) {
      if (this.refilled(bucket, nowMs) >= this.perMinute) this.buckets.delete(key);
    }
  }
}
