import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { UsufructError, type Address, type Clock, type Hex32, type TimestampMs } from '@usufruct/kernel';
import fc from 'fast-check';
import { DOCUMENTED_PRICES } from '../cost/index.js';
import { LocalStore } from './local-store.js';

const OWNERS = [`0x${'a1'.repeat(32)}` as Address, `0x${'b0'.repeat(32)}` as Address];
const TEXTS = ['alpha', 'be', 'gamma'];
const FIRST_EPOCH = 100;

/** What is expected, from the rules as Walrus's documentation gives them: a list of leases, and nothing else. */
interface ModelLease {
  readonly text: number;
  readonly owner: number;
  readonly deletable: boolean;
  readonly objectId: Hex32;
  endEpoch: number;
}

const index = (count: number): fc.Arbitrary<number> => fc.nat(count - 1);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      text: index(3),
      owner: index(2),
      epochs: fc.integer({ min: 1, max: 6 }),
      deletable: fc.boolean(),
      force: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), lease: fc.nat(9), owner: index(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('extend' as const),
      lease: fc.nat(9),
      owner: index(2),
      ahead: fc.integer({ min: -2, max: 55 }),
    }),
  },
  fc.record({ do: fc.constant('advance' as const), epochs: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('wait' as const), epochs: fc.integer({ min: -2, max: 2 }) }),
  fc.record({ do: fc.constant('sweep' as const) }),
  fc.record({ do: fc.constant('reopen' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
  );

class Run {
  private readonly leases: ModelLease[] = [];
  private nowMs = FIRST_EPOCH * 1_000;
  private epoch = FIRST_EPOCH;
  private startedMs = FIRST_EPOCH * 1_000;
  private store!: LocalStore;

  constructor(private readonly folder: string) {}

  async open(): Promise<void> {
    const clock: Clock = { nowMs: () => this.nowMs as TimestampMs };
    const sizes = { shards: 4, epochMs: 1_000, maxBlobBytes: 1_000, quotaBytes: null };
    const address = { host: '127.0.0.1', port: 0, allowedOrigins: [] };
    this.store = await LocalStore.open(
      { ...sizes, ...address, dataDir: this.folder, prices: DOCUMENTED_PRICES },
      clock,
    );
  }
  close(): void {
    this.store.close();
  }

  async take(given: Step): Promise<void> {
    switch (given.do) {
      case 'put':
        return this.put(given);
      case 'delete': {
        const lease = this.pick(given.lease);
        if (lease === undefined) return;
        const said = await codeOf(this.store.delete(lease.objectId, OWNERS[given.owner]!));
        const refusal = this.refusalOf(lease, given.owner) ?? (lease.deletable ? 'done' : 'BLOB_PERMANENT');
        expect(said).toBe(refusal);
        if (said === 'done') lease.endEpoch = 0;
        return;
      }
      case 'extend': {
        const lease = this.pick(given.lease);
        if (lease === undefined) return;
        const until = this.epoch + given.ahead;
        const said = await codeOf(this.store.extend(lease.objectId, OWNERS[given.owner]!, until));
        const beyond = until > lease.endEpoch && given.ahead > 53 ? 'INVALID_ARGUMENT' : 'done';
        expect(said).toBe(this.refusalOf(lease, given.owner) ?? beyond);
        if (said === 'done') lease.endEpoch = Math.max(lease.endEpoch, until);
        return;
      }
      case 'advance':
        this.epoch += given.epochs;
        this.startedMs = this.nowMs;
        return void expect(await this.store.advance(given.epochs)).toBe(this.epoch);
      case 'wait': {
        this.nowMs += given.epochs * 1_000;
        const passed = Math.max(0, Math.floor((this.nowMs - this.startedMs) / 1_000));
        this.epoch += passed;
        this.startedMs += passed * 1_000;
        return;
      }
      case 'sweep':
        return void (await this.store.sweep());
      case 'reopen':
        // An epoch that nobody has looked at is not written down: a clock may come before it again.
        await this.store.sweep();
        this.store.close();
        return this.open();
    }
  }

  /** Readable exactly where a lease is in force, with the right bytes; in step with the disk after a sweep. */
  async check(): Promise<void> {
    expect(this.store.epoch).toBe(this.epoch);
    const alive = this.leases.filter(({ endEpoch }) => endEpoch > this.epoch);
    for (const [text, content] of TEXTS.entries()) {
      const known = this.leases.find((lease) => lease.text === text);
      if (known === undefined) continue;
      const blobId = this.store.lease(known.objectId)?.blobId ?? this.blobIds.get(text);
      if (blobId === undefined) continue;
      this.blobIds.set(text, blobId);
      const longest = Math.max(0, ...alive.filter((lease) => lease.text === text).map(({ endEpoch }) => endEpoch));
      const found = this.store.find(blobId);
      expect({ text, endEpoch: found?.lease.endEpoch ?? 0 }).toEqual({ text, endEpoch: longest });
      if (found !== null) expect(new TextDecoder().decode(await this.store.read(blobId, found.record))).toBe(content);
    }
    await this.store.sweep();
    const held = [...new Set(alive.map(({ text }) => TEXTS[text]!))];
    expect(this.store.describe()).toMatchObject({
      blobs: held.length,
      leases: alive.length,
      storedBytes: held.reduce((total, text) => total + text.length, 0),
    });
  }
  private readonly blobIds = new Map<number, Parameters<LocalStore['find']>[0]>();

  /** One of those in force, sooner than one that has ended. */
  private pick(number: number): ModelLease | undefined {
    const alive = this.leases.filter(({ endEpoch }) => endEpoch > this.epoch);
    const among = number === 0 || alive.length === 0 ? this.leases : alive;
    return among[number % among.length];
  }

  private async put(given: Step & { do: 'put' }): Promise<void> {
    const { text, owner, epochs, deletable, force } = given;
    const wanted = this.epoch + epochs;
    const request = { epochs, deletable, owner: OWNERS[owner]!, force };
    const { lease, costFrost } = await this.store.put(new TextEncoder().encode(TEXTS[text]), request);
    this.blobIds.set(text, lease.blobId);
    const isThere = this.leases.some((one) => one.text === text && !one.deletable && one.endEpoch >= wanted);
    expect({ isNew: costFrost !== null }).toEqual({ isNew: deletable || force || !isThere });
    expect(lease.endEpoch >= wanted).toBe(true);
    if (costFrost !== null) this.leases.push({ text, owner, deletable, objectId: lease.objectId, endEpoch: wanted });
  }

  private refusalOf(lease: ModelLease, owner: number): string | undefined {
    if (lease.endEpoch <= this.epoch) return 'NOT_FOUND';
    return lease.owner === owner ? undefined : 'FORBIDDEN';
  }
}

describe('any history of leases', () => {
  it('keeps exactly the blobs of which a lease is in force, over restarts and whatever the clock does', async () => {
    const shm = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), async (steps) => {
        const folder = await mkdtemp(join(shm, 'usufruct-histories-spec-'));
        const run = new Run(folder);
        try {
          await run.open();
          for (const given of steps) {
            await run.take(given);
            await run.check();
          }
        } finally {
          run.close();
          await rm(folder, { recursive: true, force: true });
        }
      }),
      { numRuns: 30 },
    );
  });
});
