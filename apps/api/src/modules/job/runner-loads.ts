import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@usufruct/kernel';
import type { RunnerLoad } from '@usufruct/protocol';
import { CLOCK } from '../../platform/tokens.js';
import type { KnownRunner } from './rank-runners.js';
import { RunnerClient } from './runner-client.js';

/** What a runner said is good for so long, also that it said nothing. */
const LOAD_TERM_MS = 2_000;
/** One that did not answer is asked last for so long. */
const DOWN_MS = 10_000;

/** What is known of the runners: what they say of themselves, and whether they answered. Advice, kept in memory only. */
@Injectable()
export class RunnerLoads {
  private readonly loads = new Map<string, { readonly load: Promise<RunnerLoad | null>; readonly untilMs: number }>();
  private readonly downUntilMs = new Map<string, number>();

  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly runners: RunnerClient,
  ) {}

  /** In the order of the addresses. One alone is asked nothing: there is no choice. */
  async known(urls: readonly string[]): Promise<KnownRunner[]> {
    const nowMs = this.clock.nowMs();
    return Promise.all(
      urls.map(async (url) => ({
        url,
        load: urls.length === 1 ? null : await this.loadOf(url, nowMs),
        isDown: nowMs < (this.downUntilMs.get(url) ?? 0),
      })),
    );
  }

  noteDown(url: string): void {
    this.downUntilMs.set(url, this.clock.nowMs() + DOWN_MS);
  }
  noteUp(url: string): void {
    this.downUntilMs.delete(url);
  }

  private loadOf(url: string, nowMs: number): Promise<RunnerLoad | null> {
    const known = this.loads.get(url);
    if (known !== undefined && nowMs < known.untilMs) return known.load;
    const load = this.runners.load(url).catch(() => null);
    this.loads.set(url, { load, untilMs: nowMs + LOAD_TERM_MS });
    return load;
  }
}
