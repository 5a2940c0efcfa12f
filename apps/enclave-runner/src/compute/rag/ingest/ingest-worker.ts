/**
 * Runs in a worker thread of a process of its own (`ingest-host.ts`): a document that makes a parser throw, loop or eat
 * memory ends this thread, at worst that process, and not the runner. Loads nothing of our other packages, so that Node runs the source and the build alike.
 */
import { parentPort } from 'node:worker_threads';
import { ingestBytes, type IngestJob } from './ingest-bytes.js';
import { IS_READY } from './ready.js';

parentPort?.on('message', (job: IngestJob) => {
  void answer(job);
});

async function answer(job: IngestJob): Promise<void> {
  const found = await ingestBytes(job);
  parentPort?.postMessage(found, 'reply' in found ? [found.reply.sketches.buffer] : []);
}

// After this, whatever goes wrong is about a document.
parentPort?.postMessage(IS_READY);
