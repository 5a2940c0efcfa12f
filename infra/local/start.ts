import { relative } from 'node:path';
import { UsufructError } from '@usufruct/kernel';
import { LocalSystemError } from './errors.js';
import { HOLDER_NAMES, readSettings, type SystemSettings } from './settings.js';
import { startSystem, type RunningSystem } from './system.js';

const SAME_SIGNAL_MS = 1_000;

const print = (line = ''): void => void process.stdout.write(`${line}\n`);

/** `npm start`: everything on this machine, until Ctrl-C. Returns the exit code. */
export async function main(): Promise<number> {
  try {
    const settings = readSettings(process.env);
    const stopRequested = signalled();
    print(`starting; everything is kept in ${relative(process.cwd(), settings.home) || settings.home}`);
    const onEvent = ({ part, text }: { part: string; text: string }): void => print(`[${part}] ${text}`);
    const system = await startSystem({ ...settings, onEvent });
    printTable(system, settings);
    await stopRequested;
    print('\nstopping …');
    await system.stop();
    print('stopped; the data is kept for the next start');
    return 0;
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    return 1;
  }
}

/** The second Ctrl-C while stopping ends the launcher at once; its parts then stop by themselves. */
function signalled(): Promise<void> {
  return new Promise((done) => {
    let firstMs: number | undefined;
    const onSignal = (): void => {
      firstMs ??= Date.now();
      // One Ctrl-C can arrive twice: from the terminal, and passed on by npm.
      if (Date.now() - firstMs > SAME_SIGNAL_MS) process.exit(130);
      done();
    };
    // SIGHUP: the terminal was closed.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
}

function printTable(system: RunningSystem, settings: SystemSettings): void {
  const { endpoints, ports } = system;
  const database =
    settings.databaseUrl === undefined ? `127.0.0.1:${ports.postgres} (embedded)` : 'yours, from DATABASE_URL';
  const store = settings.walrus === undefined ? 'LOCAL STAND-IN for Walrus: no replication' : 'Walrus, as configured';
  const rows: readonly (readonly [string, string, string])[] = [
    ['portal', endpoints.portalUrl, 'LOCAL STAND-IN: its development wallet keeps keys in the browser'],
    ['API', `${endpoints.apiUrl}/graphql`, ''],
    ['chain', endpoints.chainUrl, 'LOCAL STAND-IN for Sui: one process, coins for everybody'],
    ['store', endpoints.publisherUrl, store],
    ...HOLDER_NAMES.map(
      (name, i) => [`key ${name}`, endpoints.holderUrls[i] ?? '', 'two of the three are needed'] as const,
    ),
    ['runner', endpoints.runnerUrls[0] ?? '', 'LOCAL STAND-IN: a software TEE hides nothing from this machine'],
    ['PostgreSQL', database, ''],
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  print();
  for (const [name, where, note] of rows)
    print(`  ${name.padEnd(widths[0] ?? 0)}  ${where.padEnd(widths[1] ?? 0)}  ${note}`.trimEnd());
  print();
  print(`  stand-ins: ${endpoints.standIns.join(', ')}. Not for real data, not for real money.`);
  print(`  runner measurement (${endpoints.runnerProfile}): ${endpoints.runnerMeasurement}`);
  print();
  print(`Open ${endpoints.portalUrl} or run: npm run demo    Ctrl-C stops everything.`);
}

function explain(error: unknown): string {
  if (error instanceof UsufructError) return `${error.code}: ${error.message}. ${error.entry.remedy}`;
  if (error instanceof LocalSystemError) return error.message;
  return `the local system failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
