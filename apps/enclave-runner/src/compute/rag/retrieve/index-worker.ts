/**
 * Runs in a worker thread, which ends with its one answer: what it was given is contributors' text, and nobody but the
 * answer's receiver keeps any of it. Imports the retrieval library alone.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { LsaIndex, termMatrix, type LsaBasis, type QuantisedRows, type TermMatrix } from '@usufruct/retrieval';

/** Texts that nothing is known of yet, or the matrix of a patched index. */
export type IndexJob = { readonly texts: readonly string[] } | { readonly matrix: TermMatrix };
export interface IndexReply {
  readonly matrix: TermMatrix;
  /** Null where there are too few passages. */
  readonly lsa: { readonly basis: LsaBasis; readonly passages: QuantisedRows } | null;
}

export function makeIndex(job: IndexJob): IndexReply {
  const matrix = 'matrix' in job ? job.matrix : termMatrix(job.texts);
  const lsa = LsaIndex.fit(matrix);
  return { matrix, lsa: lsa && { basis: lsa.basis, passages: lsa.passages } };
}

if (parentPort !== null && isJob(workerData)) {
  const reply = makeIndex(workerData.indexJob);
  const { starts, passages, counts } = reply.matrix;
  const { basis, passages: latent } = reply.lsa ?? {};
  const rows = [basis?.rows, latent].flatMap((part) => (part ? [part.values, part.scales] : []));
  const arrays = [starts, passages, counts, ...rows, ...(basis ? [basis.weights] : [])];
  parentPort.postMessage(reply, [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))]);
}

/** Tests run in workers, too. */
function isJob(data: unknown): data is { indexJob: IndexJob } {
  return typeof data === 'object' && data !== null && 'indexJob' in data;
}
