import { setTimeout as sleep } from 'node:timers/promises';
import { LocalSystemError } from './errors.js';
import { migrate } from './migrate.js';
import { BackOff, type Part, type PartEvent } from './part.js';
import { ensureDatabase, isAlive, startPostgres, type Postgres } from './postgres.js';

export const DATABASE = 'usufruct';

/** The embedded PostgreSQL as a part of the system, with the migrations applied whenever it starts. */
export class PostgresPart implements Part {
  readonly name = 'postgres';
  private server: Postgres | undefined;
  private isWanted = false;
  private readonly backOff = new BackOff();

  constructor(
    private readonly options: { readonly home: string; readonly port: number; readonly durable: boolean },
    private readonly onEvent: (event: PartEvent) => void,
  ) {}

  get pid(): number | undefined {
    return this.server?.pid;
  }

  /** Known only while it runs: a server that outlived its launcher keeps the port it had. */
  get databaseUrl(): string {
    if (this.server === undefined) throw new LocalSystemError('the embedded PostgreSQL is not running');
    return this.server.url(DATABASE);
  }

  async start(): Promise<void> {
    if (this.server !== undefined && isAlive(this.server.pid)) return;
    this.isWanted = true;
    await this.bringUp();
  }

  async stop(): Promise<void> {
    this.isWanted = false;
    await this.server?.stop();
    this.server = undefined;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.isWanted = false;
    const { server } = this;
    if (server === undefined) return;
    process.kill(server.pid, signal);
    await server.ended;
    this.server = undefined;
  }

  private async bringUp(): Promise<void> {
    const server = await startPostgres(this.options);
    if (server.reused) this.onEvent({ part: 'postgres', text: 'was still running; joined it' });
    if (!server.dataDir.startsWith(this.options.home)) {
      const reason = 'it may not run as root, and another user cannot reach the home folder';
      this.onEvent({ part: 'postgres', text: `keeps its data in ${server.dataDir}: ${reason}` });
    }
    this.server = server;
    await ensureDatabase(server, DATABASE);
    await migrate(server.url(DATABASE));
    void this.restartWhenItEnds(server, Date.now());
  }

  private async restartWhenItEnds(server: Postgres, startedMs: number): Promise<void> {
    await server.ended;
    for (let upMs = Date.now() - startedMs; this.isWanted; upMs = 0) {
      const pauseMs = this.backOff.next(upMs);
      this.onEvent({ part: 'postgres', text: `ended; starting it again in ${pauseMs / 1_000} s` });
      await sleep(pauseMs, undefined, { ref: false });
      if (!this.isWanted) return;
      try {
        await this.bringUp();
        this.onEvent({ part: 'postgres', text: 'is running again' });
        return;
      } catch (error) {
        this.onEvent({ part: 'postgres', text: error instanceof Error ? error.message : 'did not start' });
      }
    }
  }
}
