/**
 * Runs in a process of its own (`index-process.ts`), which ends with its one answer: what it was given is contributors'
 * text, or made of it, and nobody but the answer's receiver keeps any of it. Imports the retrieval library alone.
 */
import { Worker } from 'node:worker_threads';
import { Arriving, inPieces, type Message } from '../process/pieces.js';
import { workOn, type Job } from './index-jobs.js';
import type { Watched } from './index-watch.js';

const isSource = import.meta.url.endsWith('.ts');
const watched: Watched = { parentId: process.ppid, mostBytes: Number(process.argv[2]) };
const watch = new Worker(new URL(isSource ? './index-watch.ts' : './index-watch.js', import.meta.url), {
  workerData: watched,
  env: {},
});
watch.unref();

const arriving = new Arriving();
process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  const job = arriving.take(message as Message);
  if (job !== undefined) void answer(workOn(job as Job));
});

async function answer(found: object): Promise<void> {
  for (const message of inPieces(found)) {
    await new Promise<void>((resolve) => process.send!(message, undefined, undefined, () => resolve()));
  }
}
