import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalSystemError } from './errors.js';
import { BackOff, type Part, type PartEvent } from './part.js';
import { isPortFree } from './ports.js';
import { PROJECT_ROOT } from './project.js';
import type { PartName } from './settings.js';

const READY_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 10_000;
const LOG_LIMIT_BYTES = 20 * 1024 ** 2;
/** What a part may see of our environment; everything else it gets is named in its own variables. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'NODE_EXTRA_CA_CERTS'];

export interface ServiceOptions {
  readonly name: PartName;
  /** A path, relative to the project. */
  readonly entry: string;
  readonly url: string;
  readonly logFile: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly onEvent: (event: PartEvent) => void;
}

/** A Node process with `/readyz`. One that ends by itself is started again, with growing pauses. */
export class Service implements Part {
  readonly name: PartName;
  private child: ChildProcess | undefined;
  /** Whether it should be running: an end is a crash only then. */
  private isWanted = false;
  private readonly backOff = new BackOff();

  constructor(private readonly options: ServiceOptions) {
    this.name = options.name;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  async start(): Promise<void> {
    if (this.child !== undefined) return;
    this.isWanted = true;
    try {
      await this.bringUp();
    } catch (error) {
      this.isWanted = false;
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.isWanted = false;
    if (this.child !== undefined) await this.end(this.child);
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.isWanted = false;
    const { child } = this;
    if (child === undefined) return;
    const gone = untilGone(child);
    child.kill(signal);
    await gone;
  }

  private async bringUp(): Promise<void> {
    // Another program at our port would answer the question for readiness in our part's place.
    const port = Number(new URL(this.options.url).port);
    if (!(await isPortFree(port))) throw new LocalSystemError(`${this.name}: port ${port} is taken by another program`);
    const child = this.launch();
    try {
      await this.untilReady(child);
    } catch (error) {
      await this.end(child);
      throw error;
    }
    void this.restartWhenItEnds(child, Date.now());
  }

  private launch(): ChildProcess {
    const { entry, environment, logFile } = this.options;
    const log = openLog(logFile);
    const passedOn = Object.fromEntries(
      PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    );
    const preload = join(PROJECT_ROOT, 'infra/local/dist/follow-parent.js');
    const child = spawn(process.execPath, ['--no-warnings', '--import', preload, resolve(PROJECT_ROOT, entry)], {
      env: { ...passedOn, ...environment },
      // A group of its own: Ctrl-C in the terminal reaches the launcher only, which stops the parts in order.
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.child = child;
    child.once('exit', () => {
      if (this.child === child) this.child = undefined;
    });
    return child;
  }

  private async untilReady(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + READY_LIMIT_MS;
    while (Date.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) throw this.failure('ended at once');
      if (await isReady(this.options.url)) return;
      await sleep(50);
    }
    throw this.failure(`was not ready after ${READY_LIMIT_MS / 1_000} s`);
  }

  private async restartWhenItEnds(child: ChildProcess, startedMs: number): Promise<void> {
    await untilGone(child);
    const how = child.signalCode ?? `exit code ${child.exitCode}`;
    for (let upMs = Date.now() - startedMs; this.isWanted; upMs = 0) {
      const pauseMs = this.backOff.next(upMs);
      this.options.onEvent({ part: this.name, text: `ended (${how}); starting it again in ${pauseMs / 1_000} s` });
      await sleep(pauseMs, undefined, { ref: false });
      if (!this.isWanted || this.child !== undefined) return;
      try {
        await this.bringUp();
        this.options.onEvent({ part: this.name, text: 'is running again' });
        return;
      } catch (error) {
        if (this.isWanted) this.options.onEvent({ part: this.name, text: messageOf(error) });
      }
    }
  }

  private async end(child: ChildProcess): Promise<void> {
    const gone = untilGone(child);
    child.kill('SIGTERM');
    const insist = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await gone;
    clearTimeout(insist);
  }

  private failure(how: string): LocalSystemError {
    const said = readFileSync(this.options.logFile, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
    return new LocalSystemError(`${this.name} ${how}; its log (${this.options.logFile}) ends with:\n${said}`);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'did not start');

async function untilGone(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    if (response.ok) await response.body?.cancel();
    // A holder that lost entries of its log releases nothing, and stays up: it still has to destroy what was retired.
    return response.ok || (await response.text()).includes('"LOG_BEHIND"');
  } catch {
    return false;
  }
}

function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) renameSync(path, `${path}.old`);
  return openSync(path, 'a');
}
