/**
 * `npm run -s bench:store`: a contribution's way to the store and back, against a bare HTTP transfer of the same bytes.
 *
 * Upload, the whole path: read, encrypt, cut, store, read back and compare, sign the manifest, deal and deliver the
 * shares, register on the chain. Download: fetch, compare with the manifest's hashes, decrypt, with the runner's own code.
 *
 * Two transfers stand beside it, in the same parts and with as many under way. `http`: `PUT` and `GET` of the same bytes
 * at the same store, as any HTTP client would; the targets are held against it, for what it lacks is all that is ours.
 * `files`: a server that writes bodies to files and nothing else. The local store names every blob by its RedStuff code
 * (on Walrus the publisher's work, on other machines), which alone is slower than a network card; how slow it is stands
 * in the results, too.
 */
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { decryptEnvelope, encryptEnvelope, splitIntoParts } from '@usufruct/crypto';
import { fromBase64Url, systemRandom, toHex32 } from '@usufruct/kernel';
import type { Manifest } from '@usufruct/protocol';
import { httpBlobStore } from '@usufruct/walrus';
import { blobIdEncoder } from '@usufruct/walrus/blob-id';
import type { RunningSystem } from '#local/system.js';
import { fetchCiphertext } from '#runner/compute/provision/ciphertext.js';
import { found, newPlayer, type Founded } from '../support/players.ts';
import { startTestSystem } from '../support/system.ts';
import { runCuts } from '../walrus/cuts.ts';
import { startProcess } from './processes.ts';
import { percentile, progress, report, target, type BenchPart } from './report.ts';
import { costOfSmallFiles } from './store/costs.ts';
import { inLanes, MIB, PART_BYTES, partsOf, piecesOf, randomFile, receive, send } from './store/transfers.ts';

const FILE_BYTES = 64 * MIB;
const ROUNDS = 5;
const LARGE_MIB = 1_024;
const FAULTS = 1_000;
const RATIO_TARGET = 0.5;
const PEAK_RSS_TARGET_MB = 300;

type Seconds = Record<string, number>;
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1_000;
};

/** One round: each way with bytes that no store has seen. */
async function round(system: RunningSystem, dao: Founded, filesUrl: string, number: number): Promise<Seconds> {
  const { publisherUrl, aggregatorUrl } = system.endpoints;
  const file = randomFile(FILE_BYTES);
  const parts = partsOf(file);
  const names = parts.map((_, i) => `${filesUrl}/${number}x${i}`);
  let blobIds: string[] = [];
  const filesUp = await timed(() => inLanes(parts, (part, i) => send(names[i]!, part)));
  const httpUp = await timed(async () => {
    const answers = await inLanes(parts, (part) => send(`${publisherUrl}/v1/blobs?epochs=2`, part));
    blobIds = answers.map((text) => JSON.parse(text).newlyCreated.blobObject.blobId);
  });
  const { client } = newPlayer(system.endpoints);
  const pathUp = await timed(() =>
    client.contributions.contribute({
      key: 'file',
      datasetId: dao.dataset.id,
      fileName: 'file.txt',
      sizeBytes: file.length,
      source: () => piecesOf(file),
    }),
  );
  const filesDown = await timed(() => inLanes(parts, ({ length }, i) => receive(names[i]!, length)));
  const httpDown = await timed(() =>
    inLanes(parts, ({ length }, i) => receive(`${aggregatorUrl}/v1/blobs/${blobIds[i]}`, length)),
  );
  return { filesUp, httpUp, pathUp, filesDown, httpDown, pathDown: await downloaded(system, file) };
}

/** Stored as a contribution is, then fetched and opened with the runner's code; only the second half is timed. */
async function downloaded({ endpoints }: RunningSystem, file: Uint8Array): Promise<number> {
  const store = httpBlobStore(endpoints);
  const sessionKey = systemRandom(32);
  const ciphertext = encryptEnvelope({
    source: piecesOf(file),
    sessionKey,
    fileName: 'file.txt',
    random: systemRandom,
  });
  const parts: Manifest['parts'][number][] = [];
  for await (const { bytes, sha256 } of splitIntoParts(ciphertext, PART_BYTES)) {
    const { blobId } = await store.put(bytes);
    parts.push({ blob: toHex32(fromBase64Url(blobId, 'blobId')), sha256, sizeBytes: bytes.length });
  }
  let opened = 0;
  const seconds = await timed(async () => {
    const source = fetchCiphertext(store, { parts });
    for await (const piece of (await decryptEnvelope({ source, sessionKey })).body) opened += piece.length;
  });
  if (opened !== file.length) throw new Error(`opened ${opened} bytes instead of ${file.length}`);
  return seconds;
}

async function throughput(system: RunningSystem, dao: Founded): Promise<BenchPart> {
  const folder = mkdtempSync(join(tmpdir(), 'usufruct-bench-'));
  const files = await startProcess('test/bench/store/plain-server.ts', join(folder, 'files'), {});
  const rounds: Seconds[] = [];
  try {
    // Round 0 warms up and does not count.
    for (let number = 0; number <= ROUNDS; number++) {
      const seconds = await round(system, dao, files.url, number);
      if (number > 0) rounds.push(seconds);
      progress(`store: round ${number} of ${ROUNDS}`);
    }
  } finally {
    await files.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const speed = (name: string): number =>
    FILE_BYTES /
    MIB /
    percentile(
      rounds.map((seconds) => seconds[name]!),
      50,
    );
  const names = Object.keys(rounds[0]!);
  const mibPerSecond = Object.fromEntries(names.map((name) => [name, Number(speed(name).toFixed(1))]));
  return {
    results: [
      { name: 'store.throughput', fileMiB: FILE_BYTES / MIB, partMiB: PART_BYTES / MIB, rounds: ROUNDS, mibPerSecond },
      {
        name: 'store.ratio_to_files',
        upload: ratio(speed('pathUp'), speed('filesUp')),
        download: ratio(speed('pathDown'), speed('filesDown')),
      },
      await redStuff(),
    ],
    targets: [
      target('upload.ratio_to_http', speed('pathUp') / speed('httpUp'), 'ratio', '>=', RATIO_TARGET),
      target('download.ratio_to_http', speed('pathDown') / speed('httpDown'), 'ratio', '>=', RATIO_TARGET),
    ],
  };
}

const ratio = (ours: number, other: number): number => Number((ours / other).toFixed(3));

/** What naming a part by its RedStuff code takes, in one thread. */
async function redStuff(): Promise<object> {
  const shards = 25;
  const blobIdOf = await blobIdEncoder(shards);
  const part = randomFile(PART_BYTES);
  const seconds = await timed(() => blobIdOf(part));
  return { name: 'store.blob_id', shards, mibPerSecond: Math.round(PART_BYTES / MIB / seconds) };
}

async function memory(system: RunningSystem, dao: Founded): Promise<BenchPart> {
  progress(`store: a contribution of ${LARGE_MIB} MiB by a process of its own`);
  const child = fileURLToPath(new URL('store/upload-memory.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(execPath, ['--no-warnings', child, dao.dataset.id, String(LARGE_MIB)], {
    timeout: 900_000,
    env: { ...process.env, ENDPOINTS: JSON.stringify(system.endpoints) },
  });
  const measured: { readonly peakRssMb: number } = JSON.parse(stdout);
  return {
    results: [{ name: 'store.memory', ...measured }],
    targets: [target('upload.peak_rss_mb', measured.peakRssMb, 'MB', '<=', PEAK_RSS_TARGET_MB)],
  };
}

/** Uploads and reads whose requests and answers go wrong at random; see `test/walrus/cuts.ts`. */
async function faults(): Promise<BenchPart> {
  progress(`store: ${FAULTS} cuts of uploads and reads`);
  const measured = await runCuts(FAULTS, (n) => randomInt(n));
  const paidTwice = measured.leases - measured.stored;
  return {
    results: [{ name: 'store.faults', ...measured, paidTwice }],
    targets: [target('faults.lost', measured.lost + measured.endless + Math.abs(paidTwice), 'blobs', '<=', 0)],
  };
}

const system = await startTestSystem({ durable: true });
try {
  const dao = await found(system.endpoints);
  const parts = [
    await throughput(system, dao),
    await memory(system, dao),
    await faults(),
    { results: [costOfSmallFiles()], targets: [] },
  ];
  process.stdout.write(`${JSON.stringify(report('store', parts))}\n`);
} finally {
  await system.stop();
}
