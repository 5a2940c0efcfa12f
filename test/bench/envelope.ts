/**
 * The envelope against raw WebCrypto AES-256-GCM, and its memory for a file of 1 GiB.
 *
 * Plain Node strips the types of this file but cannot follow the `.js` imports inside the packages' sources, so the
 * packages are imported by name and resolve to their builds: run `npm run build` first. Alone:
 *
 *   npm run -s build && npx node test/bench/envelope.ts
 */
import { execFile } from 'node:child_process';
import { argv, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { decryptEnvelope, DEFAULT_CHUNK_BYTES, encryptEnvelope } from '@usufruct/crypto';
import { systemRandom } from '@usufruct/kernel';
import { percentile, progress, target, type BenchPart } from './report.ts';

const MIB = 1024 ** 2;
const FILE_BYTES = 64 * MIB;
/** What file systems and sockets hand out at a time. */
const PIECE_BYTES = 64 * 1024;
const ROUNDS = 11;
/** As the envelope does it with chunks of this size. */
const CHUNKS_IN_FLIGHT = 3;

const RATIO_TARGET = 0.8;
const PEAK_RSS_TARGET_MB = 300;

/**
 * Throughput: medians of interleaved rounds in one process. `raw` is one WebCrypto call over the whole file, which is
 * what the target is held against; `rawChunked` is WebCrypto on the same chunks with as many under way, which is what
 * the envelope could reach if it did nothing else. Memory: peak RSS of a fresh process that encrypts and decrypts.
 */
export async function benchEnvelope(): Promise<BenchPart> {
  const mibPerSecond = await throughput();
  const ratios = {
    encrypt: ratio(mibPerSecond.encrypt!, mibPerSecond.rawEncrypt!),
    decrypt: ratio(mibPerSecond.decrypt!, mibPerSecond.rawDecrypt!),
    encryptToChunked: ratio(mibPerSecond.encrypt!, mibPerSecond.rawChunkedEncrypt!),
    decryptToChunked: ratio(mibPerSecond.decrypt!, mibPerSecond.rawChunkedDecrypt!),
  };
  const memory = await memoryOfOneGib();
  return {
    results: [
      {
        name: 'envelope.throughput',
        fileMiB: FILE_BYTES / MIB,
        chunkKiB: DEFAULT_CHUNK_BYTES / 1024,
        rounds: ROUNDS,
        mibPerSecond,
        ratios,
      },
      { name: 'envelope.memory', ...memory },
    ],
    targets: [
      target('envelope.ratio_to_aes_gcm', Math.min(ratios.encrypt, ratios.decrypt), 'ratio', '>=', RATIO_TARGET),
      target('envelope.peak_rss_mb', memory.peakRssMb, 'MB', '<=', PEAK_RSS_TARGET_MB),
    ],
  };
}

async function throughput(): Promise<Record<string, number>> {
  const collectGarbage = garbageCollector();
  const jobs = await makeJobs();
  const seconds: Record<string, number[]> = {};
  // Round 0 warms up and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, job] of Object.entries(jobs)) {
      collectGarbage();
      const start = performance.now();
      await job();
      if (round > 0) (seconds[name] ??= []).push((performance.now() - start) / 1000);
    }
    progress(`envelope: round ${round} of ${ROUNDS}`);
  }
  return Object.fromEntries(
    Object.entries(seconds).map(([name, list]) => [name, Math.round(FILE_BYTES / MIB / percentile(list, 50))]),
  );
}

/** A full collection before each job, outside the clock: or each would pay for the garbage of the one before it. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

async function makeJobs(): Promise<Record<string, () => Promise<void>>> {
  const file = randomFile();
  const sessionKey = systemRandom(32);
  const key = await crypto.subtle.importKey('raw', Uint8Array.from(systemRandom(32)), 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ]);
  const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm(0), key, file));
  const chunks = cut(file, DEFAULT_CHUNK_BYTES);
  const sealedChunks = await Promise.all(
    chunks.map(async (chunk, i) => new Uint8Array(await crypto.subtle.encrypt(algorithm(i), key, chunk))),
  );
  const encryptFile = () =>
    encryptEnvelope({ source: streamOfPieces(file), sessionKey, fileName: 'bench.bin', random: systemRandom });
  const message = await joined(encryptFile());

  return {
    rawEncrypt: async () => void (await crypto.subtle.encrypt(algorithm(0), key, file)),
    rawDecrypt: async () => void (await crypto.subtle.decrypt(algorithm(0), key, sealed)),
    rawChunkedEncrypt: () => severalAtOnce(chunks, (chunk, i) => crypto.subtle.encrypt(algorithm(i), key, chunk)),
    rawChunkedDecrypt: () => severalAtOnce(sealedChunks, (chunk, i) => crypto.subtle.decrypt(algorithm(i), key, chunk)),
    encrypt: async () => expectBytes(await countBytes(encryptFile()), message.length),
    decrypt: async () => {
      const { body } = await decryptEnvelope({ source: streamOfPieces(message), sessionKey });
      expectBytes(await countBytes(body), file.length);
    },
  };
}

async function severalAtOnce<T>(
  inputs: readonly T[],
  job: (input: T, index: number) => Promise<unknown>,
): Promise<void> {
  const underWay: Promise<unknown>[] = [];
  for (const [index, input] of inputs.entries()) {
    underWay.push(job(input, index));
    if (underWay.length > CHUNKS_IN_FLIGHT) await underWay.shift();
  }
  await Promise.all(underWay);
}

const algorithm = (index: number): AesGcmParams => {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setUint32(8, index);
  return { name: 'AES-GCM', iv };
};

function randomFile(): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(FILE_BYTES);
  for (const piece of cut(file, PIECE_BYTES)) crypto.getRandomValues(piece);
  return file;
}

const cut = (bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer>[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));

async function* streamOfPieces(bytes: Uint8Array<ArrayBuffer>): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  yield* cut(bytes, PIECE_BYTES);
}

async function joined(source: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  const whole = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  pieces.reduce((at, piece) => (whole.set(piece, at), at + piece.length), 0);
  return whole;
}

async function countBytes(source: AsyncIterable<Uint8Array>): Promise<number> {
  let total = 0;
  for await (const piece of source) total += piece.length;
  return total;
}

function expectBytes(got: number, expected: number): void {
  if (got !== expected) throw new Error(`the envelope gave ${got} bytes instead of ${expected}`);
}

const ratio = (ours: number, raw: number): number => Number((ours / raw).toFixed(3));

interface MemoryResult {
  readonly fileGiB: number;
  readonly peakRssMb: number;
  /** The same process with the modules loaded and nothing encrypted yet. */
  readonly startRssMb: number;
  readonly seconds: number;
}

async function memoryOfOneGib(): Promise<MemoryResult> {
  progress('envelope: 1 GiB through encryption and decryption in a fresh process');
  const child = fileURLToPath(new URL('envelope-memory.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(execPath, ['--no-warnings', child], { timeout: 300_000 });
  return JSON.parse(stdout);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(await benchEnvelope(), null, 2)}\n`);
}
