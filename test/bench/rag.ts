/**
 * `npm run -s bench:rag`: private questions from text to verified answer, without a language model. Every part of the
 * system is a process of its own with a durable store, on this machine; the hardware is the software TEE's.
 */
import { startTestSystem } from '../support/system.ts';
import { benchIngest } from './rag/ingest.ts';
import { benchLatency } from './rag/latency.ts';
import { benchOverhead } from './rag/overhead.ts';
import { benchStoredIndex } from './rag/stored-index.ts';
import { report, type BenchPart } from './report.ts';

const parts: BenchPart[] = [await benchIngest(), await benchStoredIndex(10_000)];
const system = await startTestSystem({ durable: true });
try {
  parts.push(await benchOverhead(system), await benchLatency(system));
} finally {
  await system.stop();
}
process.stdout.write(`${JSON.stringify(report('rag', parts))}\n`);
