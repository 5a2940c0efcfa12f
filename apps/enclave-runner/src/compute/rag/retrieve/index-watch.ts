/** Runs beside the thread that computes (`index-host.ts`), which hears nothing meanwhile. */
import { workerData } from 'node:worker_threads';

export interface Watched {
  /** That started the process; when that is gone nobody wants its answer. */
  readonly parentId: number;
  /** Of all that the process takes. */
  readonly mostBytes: number;
}

const WATCH_MS = 100;
const { parentId, mostBytes } = workerData as Watched;

setInterval(() => {
  if (process.ppid !== parentId || process.memoryUsage.rss() > mostBytes) process.kill(process.pid, 'SIGKILL');
}, WATCH_MS);
