/**
 * Runs in a worker thread: a document that makes a parser throw, loop or eat memory ends this thread and not the
 * runner. Loads nothing of our other packages, so that Node runs the source and the build alike.
 */
import { parentPort } from 'node:worker_threads';
import { ingestBytes, type IngestJob } from './ingest-bytes.js';

parentPort?.on('message', (job: IngestJob) => {
  void answer(job);
});

async function answer(job: IngestJob): Promise<void> {
  const found = await ingestBytes(job);
  parentPort?.postMessage(found, 'reply' in found ? [found.reply.sketches.buffer] : []);
}
