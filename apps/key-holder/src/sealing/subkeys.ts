import { asTimestampMs, toUsufructError, type Clock, type Logger, type TimestampMs } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import type { SealingKey } from '../keyring/contents.js';
import type { Keyring } from '../keyring/keyring.js';

/**
 * How long a key that shares are sealed to is handed out, and how long it opens after that.
 *
 * A day: whoever takes over a holder (its secret and its keyring) opens what was recorded on the way to it since the key
 * was made, so shorter is better; but clients keep what they were told, and each new key is one more request of each.
 *
 * Ten minutes: a share is sealed, sent and answered in seconds. A runner has a challenge's 60 s for a leased key. A
 * re-sharing is the longest: a carrier asks receivers, then up to a threshold of dealers (two minutes each at most), then
 * brings what they gave. Who was told of a key just before its end seals to it a minute later where clocks differ. Hours
 * would help a carrier that was stopped and goes on; but it can ask the dealers again, who deal the same and seal anew, so
 * nothing is lost by a key that is gone, and every minute more is one in which a thief finds it.
 */
export const SEALING_TERMS = { maxAgeMs: 24 * 60 * 60_000, graceMs: 10 * 60_000 } as const;
export interface SealingTerms {
  /** At most `LIMITS.sealingKeyTermMs`: clients refuse longer. */
  readonly maxAgeMs: number;
  readonly graceMs: number;
}

export interface Subkey extends Pick<SealingKey, 'publicKey' | 'privateKey'> {
  readonly notBeforeMs: TimestampMs;
  readonly notAfterMs: TimestampMs;
}

/** The keyring's sealing keys, by the clock: which is to be sealed to, which still open, and the end of those that do not. */
export class Subkeys {
  #tending: Promise<void> | null = null;

  constructor(
    private readonly sealing: Keyring['sealing'],
    private readonly clock: Clock,
    private readonly terms: SealingTerms = SEALING_TERMS,
  ) {}

  /** To be sealed to now; durable before it is given. A new one where the time of the last is over. */
  async current(): Promise<Subkey> {
    await this.tend();
    return this.termOf(this.sealing.current());
  }

  /**
   * What may still be opened with: a key is not, once its grace is over, whether or not it was destroyed yet. One that
   * was not replaced in time, because nobody was there to do it, ends as if it had been.
   */
  openable(): readonly Subkey[] {
    const nowMs = this.clock.nowMs();
    return this.sealing
      .openable()
      .filter((key) => nowMs < this.endOf(key) + this.terms.graceMs)
      .map((key) => this.termOf(key));
  }

  /** A new key where it is time, and none of those whose grace is over. Also what a killed process had left undone. */
  tend(): Promise<void> {
    this.#tending ??= this.turnOver().finally(() => {
      this.#tending = null;
    });
    return this.#tending;
  }

  private async turnOver(): Promise<void> {
    const nowMs = this.clock.nowMs();
    const last = this.sealing.current();
    const { notBeforeMs, notAfterMs } = this.termOf(last);
    // Made by a clock that ran ahead: nobody would seal to it until then, and what it says of older ones is wrong, too.
    const isEarly = nowMs < notBeforeMs - LIMITS.clockSkewMs;
    if (nowMs >= notAfterMs || isEarly) await this.sealing.rotate();
    // Retired only now, because nobody was there in time: it is over with its grace, and so are all that are older.
    const isLate = nowMs >= notAfterMs + this.terms.graceMs;
    this.sealing.destroyRetired(isEarly || isLate ? Number.MAX_SAFE_INTEGER : nowMs - this.terms.graceMs + 1);
  }

  private endOf({ createdAtMs, retiredAtMs }: SealingKey): number {
    return Math.min(retiredAtMs ?? Infinity, createdAtMs + this.terms.maxAgeMs);
  }

  private termOf({ publicKey, privateKey, createdAtMs }: SealingKey): Subkey {
    const notAfterMs = asTimestampMs(createdAtMs + this.terms.maxAgeMs);
    return { publicKey, privateKey, notBeforeMs: createdAtMs, notAfterMs };
  }
}

/** At once, then so often that no key outlives its grace by more than a quarter of it; `stop` waits for the last time. */
export function startTending(subkeys: Subkeys, { graceMs }: SealingTerms, logger: Logger): { stop(): Promise<void> } {
  let running = Promise.resolve();
  const tend = (): void => {
    running = subkeys.tend().catch((error: unknown) => {
      logger.error('sealing.turnover.failed', { code: toUsufructError(error).code });
    });
  };
  tend();
  const timer = setInterval(tend, Math.ceil(graceMs / 4));
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
