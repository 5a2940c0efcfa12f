import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TeeDevice } from '@usufruct/attestation';
import type { WalletSigner } from '@usufruct/chain';
import { systemRandom, type Clock } from '@usufruct/kernel';
import { generateRunnerKeys, type RunnerKeys } from '../../apps/enclave-runner/src/attest/runner-keys.js';
import { QuestionDesk } from '../../apps/enclave-runner/src/compute/questions/question-desk.js';
import { Sessions } from '../../apps/enclave-runner/src/compute/session/sessions.js';
import type { BlobReader, RunnerContext } from '../../apps/enclave-runner/src/context.js';
import { httpHolder } from '../../apps/enclave-runner/src/keys/http-holder.js';
import { Settler } from '../../apps/enclave-runner/src/receipt/settler.js';
import { RunnerStore } from '../../apps/enclave-runner/src/receipt/store.js';
import type { ChainLine } from './chain-line.js';
import { silent, type HolderProcess } from './holder-process.js';
import type { Injector } from './injector.js';
import { Life } from './life.js';

/** Nobody waits longer for an answer: who wants it asks again. */
const HOLD_MS = 400;
const FILES = ['runner.sqlite', 'runner.sqlite-wal'];

export interface RunnerOptions {
  readonly folder: string;
  readonly device: TeeDevice;
  readonly wallet: WalletSigner;
  readonly clock: Clock;
  readonly line: ChainLine;
  readonly holders: readonly HolderProcess[];
  readonly blobs: BlobReader;
  readonly injector: Injector;
}
export interface RunningRunner {
  readonly life: Life;
  readonly keys: RunnerKeys;
  readonly desk: QuestionDesk;
  readonly settler: Settler;
  readonly context: RunnerContext;
}

/** The runner's process: its keys die with it, its store does not. */
export class RunnerProcess {
  #running: RunningRunner | null = null;
  #lives = 0;
  /** Of every life: what was sealed to them can be opened by the test. */
  readonly keys: RunnerKeys[] = [];

  constructor(private readonly options: RunnerOptions) {}

  get running(): RunningRunner | null {
    return this.#running;
  }
  get #dataDir(): string {
    return join(this.options.folder, `life-${this.#lives}`);
  }

  async start(): Promise<RunningRunner> {
    if (this.#running !== null) return this.#running;
    const { device, wallet, clock, line, holders, blobs } = this.options;
    const keys = await generateRunnerKeys(systemRandom);
    this.keys.push(keys);
    const store = RunnerStore.openIn(this.#dataDir);
    const life: Life = new Life(() => {
      sessions.endAll();
      this.#die(store);
    });
    const context: RunnerContext = {
      chain: line.open(life),
      device,
      keys,
      holders: holders.map((holder, n) =>
        httpHolder(`http://holder-${n}`, { fetch: (...of) => life.ask(() => holder.fetch(...of)), timeoutMs: 5_000 }),
      ),
      seal: null,
      blobs: { get: (id) => life.ask(() => blobs.get(id)), getPatch: (...asked) => blobs.getPatch(...asked) },
      wallet,
      store: mortal(store, life),
      clock,
      random: systemRandom,
      logger: silent,
    };
    const sessions = new Sessions(context);
    const settler = new Settler(context);
    const desk = new QuestionDesk(context, sessions, settler, HOLD_MS);
    this.#running = { life, keys, desk, settler, context };
    return this.#running;
  }

  kill(): void {
    this.#running?.life.kill();
  }

  #die(store: RunnerStore): void {
    this.options.injector.note('kill', 'runner');
    const next = join(this.options.folder, `life-${this.#lives + 1}`);
    mkdirSync(next, { recursive: true });
    for (const name of FILES) {
      const file = join(this.#dataDir, name);
      if (existsSync(file)) copyFileSync(file, join(next, name));
    }
    store.close();
    rmSync(this.#dataDir, { recursive: true });
    this.#lives += 1;
    this.#running = null;
  }
}

const mortal = (store: RunnerStore, life: Life): RunnerStore =>
  new Proxy(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => life.act(() => Reflect.apply(member, target, args) as unknown);
    },
  });
