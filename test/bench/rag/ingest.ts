import { performance } from 'node:perf_hooks';
import type { ContributionId } from '@usufruct/kernel';
import { percentile, progress, type BenchPart } from '../report.ts';
import { filesOf } from './paragraphs.ts';

type Rag = typeof import('../../../apps/enclave-runner/src/compute/rag/index.js');
const built = new URL('../../../apps/enclave-runner/dist/compute/rag/index.js', import.meta.url);

const PARAGRAPHS = 10_000;
const ROUNDS = 3;

/** Text to chunks with sketches in the runner's threads, and chunks to an index. Other formats: `npm run -s bench:ingest`. */
export async function benchIngest(): Promise<BenchPart> {
  const { Corpus, ingestDocument } = (await import(built.href)) as Rag;
  const [file] = filesOf(PARAGRAPHS);
  const bytes = new TextEncoder().encode(file!.text);
  const ingestMs: number[] = [];
  const indexMs: number[] = [];
  let chunks = 0;
  // The first round starts the thread.
  for (let round = 0; round <= ROUNDS; round++) {
    const startedMs = performance.now();
    const document = await ingestDocument({ fileName: 'a.txt', bytes }, { sketchKey: new Uint8Array(8).fill(1) });
    const ingestedMs = performance.now();
    const contributionId = `0x${'1'.padStart(64, '0')}` as ContributionId;
    chunks = new Corpus([{ contributionId, fileName: 'a.txt', document }]).passages.length;
    if (round === 0) continue;
    ingestMs.push(ingestedMs - startedMs);
    indexMs.push(performance.now() - ingestedMs);
  }
  const mb_per_s = bytes.length / 1_000 / percentile(ingestMs, 50);
  progress(`ingest: ${mb_per_s.toFixed(1)} MB/s`);
  const results = [
    { name: 'ingest', format: 'txt', file_bytes: bytes.length, chunks, mb_per_s },
    { name: 'index.build', chunks, p50_ms: percentile(indexMs, 50) },
  ];
  return { results, targets: [] };
}
