import { parentPort, workerData } from 'node:worker_threads';
import initWasm, { BlobEncoder } from '@mysten/walrus-wasm';

/** Computes blob ids in a thread of its own; `red-stuff-threads.ts` starts it with the number of shards. */
await initWasm();
const encoder = new BlobEncoder(Number(workerData));
parentPort?.on('message', (bytes: Uint8Array) => parentPort?.postMessage(encoder.compute_metadata(bytes)));
