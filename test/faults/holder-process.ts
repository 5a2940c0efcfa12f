import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { AppraisalDesk, type RootSet } from '@usufruct/attestation';
import {
  fromBase64,
  systemRandom,
  toHex,
  toUsufructError,
  type Clock,
  type Digest,
  type JobId,
  type Logger,
} from '@usufruct/kernel';
import {
  decodeLeasedKey,
  leasedKeyId,
  toWireJson,
  zDepositLeasedKey,
  zEgressRequest,
  zLeaseRequest,
  zReleaseRequest,
  type ReleaseAnswer,
  type ReleaseRequest,
} from '@usufruct/protocol';
import { makeHolder, type Holder } from '../../apps/key-holder/src/holder.js';
import { deriveHolderKeys, type HolderKeys } from '../../apps/key-holder/src/identity.js';
import { openKeyring } from '../../apps/key-holder/src/keyring/open.js';
import { holderRoutes } from '../../apps/key-holder/src/server/routes.js';
import { openDatabase } from '../../apps/key-holder/src/store/database.js';
import { readings, type ChainLine, type Readings } from './chain-line.js';
import type { Injector } from './injector.js';
import { Life } from './life.js';

const FILES = ['key-holder.sqlite', 'key-holder.sqlite-wal', 'keyring/keyring'];
export const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A share or a refusal that left a holder, and what the holder had read of the chain when it decided. */
export interface Seen {
  readonly member: number;
  readonly request: ReleaseRequest;
  readonly answer: ReleaseAnswer;
  readonly readings: Readings;
}
/** A share of a leased key that a holder took or gave. */
export interface SeenLease {
  readonly member: number;
  readonly kind: 'stored' | 'leased';
  readonly keyId: Digest;
  readonly jobId: JobId;
  readonly atMs: number;
  readonly readings: Readings;
}
/** An output that a holder signed for. */
export interface SeenOutput {
  readonly member: number;
  readonly jobId: JobId;
  readonly outputDigest: Digest;
}
export interface HolderOptions {
  readonly member: number;
  readonly secret: Uint8Array;
  readonly folder: string;
  readonly clock: Clock;
  readonly line: ChainLine;
  readonly roots: RootSet;
  readonly injector: Injector;
  readonly onRelease: (seen: Seen) => void;
  readonly onLease: (seen: SeenLease) => void;
  readonly onOutput: (seen: SeenOutput) => void;
}

/** A key holder's process, killed and started again over what is left of its files. */
export class HolderProcess {
  keys!: HolderKeys;
  #running: { readonly life: Life; readonly holder: Holder; readonly database: DatabaseSync } | null = null;
  #lives = 0;

  constructor(readonly options: HolderOptions) {}

  get isUp(): boolean {
    return this.#running !== null;
  }
  /** Refuses while it is down. */
  get running(): { readonly life: Life; readonly holder: Holder } {
    if (this.#running === null) throw new TypeError('fetch failed');
    return this.#running;
  }
  get #dataDir(): string {
    return join(this.options.folder, `life-${this.#lives}`);
  }
  get backupDir(): string {
    return join(this.options.folder, 'backup');
  }

  async start(): Promise<void> {
    if (this.#running !== null) return;
    const { secret, clock, line, roots } = this.options;
    this.keys ??= await deriveHolderKeys(secret);
    const keyring = await openKeyring({ dataDir: this.#dataDir, keys: this.keys, clock, random: systemRandom });
    const database = openDatabase(this.#dataDir, toHex(this.keys.signing.publicKey));
    const life = new Life(() => this.#die(database));
    const holder = makeHolder({
      keys: this.keys,
      keyring,
      chain: line.open(life),
      database: mortal(database, life),
      desk: new AppraisalDesk({ roots }),
      standIns: ['test'],
      clock,
      random: systemRandom,
      logger: silent,
    });
    this.#running = { life, holder, database };
  }

  /** As it is on the disk at this moment, also in the middle of a transaction. */
  backUp(): void {
    rmSync(this.backupDir, { recursive: true, force: true });
    this.#copyTo(this.backupDir);
  }
  /** What the next life starts from; it is down. Gives where what it had is kept. */
  restore(from: string): string {
    const kept = this.#dataDir;
    this.#lives += 1;
    cpSync(from, this.#dataDir, { recursive: true });
    return kept;
  }

  kill(): void {
    this.#running?.life.kill();
  }

  #die(database: DatabaseSync): void {
    const { injector, member } = this.options;
    injector.note('kill', `holder ${member}`);
    const next = join(this.options.folder, `life-${this.#lives + 1}`);
    this.#copyTo(next);
    database.close();
    rmSync(this.#dataDir, { recursive: true });
    this.#lives += 1;
    this.#running = null;
  }
  #copyTo(folder: string): void {
    mkdirSync(join(folder, 'keyring'), { recursive: true });
    for (const name of FILES) {
      const file = join(this.#dataDir, name);
      if (existsSync(file)) copyFileSync(file, join(folder, name));
    }
  }

  /** How others reach it: over a bad line, and not while it is down. */
  fetch: typeof fetch = (input, init) => {
    const { injector, member } = this.options;
    const url = new URL(String(input));
    return injector.carry(`runner → holder ${member}`, 0.06, () => this.#exchange(url, init));
  };

  async #exchange(url: URL, init: RequestInit | undefined): Promise<Response> {
    const { life, holder } = this.running;
    const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined;
    const route = holderRoutes(holder).find(({ pattern }) => pattern === url.pathname);
    if (route === undefined) throw new Error(`no route ${url.pathname}`);
    const known: Readings = new Map();
    const query = Object.fromEntries(url.searchParams);
    const handle = async (): Promise<unknown> => route.handle({ path: {}, query, body });
    try {
      const answer = await life.orDeath(readings.run(known, handle));
      const text = toWireJson(answer);
      if (url.pathname === '/v1/releases') this.#seen(body, text, known);
      this.#seenOther(url.pathname, body, text, known);
      return new Response(text);
    } catch (thrown) {
      if (life.isOver) throw new TypeError('fetch failed', { cause: thrown });
      const error = toUsufructError(thrown);
      if (error.code === 'INTERNAL') throw thrown;
      return new Response(JSON.stringify(error.toWire()), { status: error.entry.http });
    }
  }

  #seenOther(path: string, body: unknown, text: string, known: Readings): void {
    const { member, onLease, onOutput, clock } = this.options;
    const seen = { member, readings: known, atMs: clock.nowMs() };
    if (path === '/v1/leases/keys') {
      const statement = fromBase64(zDepositLeasedKey.parse(body).key);
      onLease({ ...seen, kind: 'stored', keyId: leasedKeyId(statement), jobId: decodeLeasedKey(statement)!.jobId });
    }
    if (path === '/v1/leases') {
      const { keyId, jobId } = zLeaseRequest.parse(body);
      if ('sealedShare' in (JSON.parse(text) as object)) onLease({ ...seen, kind: 'leased', keyId, jobId });
    }
    if (path === '/v1/egress-tokens') {
      const { jobId, outputDigest } = zEgressRequest.parse(body);
      onOutput({ member, jobId, outputDigest });
    }
  }

  #seen(body: unknown, text: string, known: Readings): void {
    const answer = JSON.parse(text) as ReleaseAnswer;
    const { member, onRelease } = this.options;
    onRelease({ member, request: zReleaseRequest.parse(body), answer, readings: known });
  }
}

/** The database of a process that may die at each statement. */
function mortal(database: DatabaseSync, life: Life): DatabaseSync {
  return new Proxy(database, {
    get: (target, name) => {
      if (name === 'prepare') return (sql: string) => mortalStatement(target.prepare(sql), life);
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => life.act(() => Reflect.apply(member, target, args) as unknown);
    },
  });
}

const mortalStatement = (statement: StatementSync, life: Life): StatementSync =>
  new Proxy(statement, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => life.act(() => Reflect.apply(member, target, args) as unknown);
    },
  });
