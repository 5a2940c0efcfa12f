import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file's bytes; null if there is none, or if it is larger than anything that belongs here. */
export async function readAtMost(path: string, bytesAtMost: number): Promise<Uint8Array | null> {
  try {
    const about = await stat(path);
    return about.isFile() && about.size <= bytesAtMost ? new Uint8Array(await readFile(path)) : null;
  } catch {
    return null;
  }
}

/** Whole or not at all, also if the power fails: written beside, synced, renamed, and the folder synced. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(beside, 'wx', 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const WAIT_MS = 20;
/** A writer that lives touches its lock several times in so long, however long its disk takes for the files. */
const PATIENCE_MS = 2_000;

/**
 * Run alone among all processes that use this lock file. A lock that nobody touches or gives back for so long is taken
 * over, because its writer was killed: how it is, is told by the file itself, so that clocks are not compared.
 */
export async function whileLocked<T>(path: string, run: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let [seen, waitedMs] = ['', 0];
  for (;;) {
    try {
      await (await open(path, 'wx')).close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const now = await identityOf(path);
    if (now !== seen) [seen, waitedMs] = [now, 0];
    if (waitedMs >= patienceMs) await rm(path, { force: true });
    await new Promise((done) => setTimeout(done, WAIT_MS));
    waitedMs += WAIT_MS;
  }
  const touch = (): void => void utimes(path, new Date(), new Date()).catch(() => undefined);
  const beat = setInterval(touch, patienceMs / 5);
  try {
    return await run();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

async function identityOf(path: string): Promise<string> {
  try {
    const { ino, mtimeMs } = await stat(path);
    return `${ino} ${mtimeMs}`;
  } catch {
    return '';
  }
}
