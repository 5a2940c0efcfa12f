import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { combine, deal, generateKeyPair, leafHash, MerkleLog, open, seal, verifyShare } from '@usufruct/crypto';
import { systemRandom } from '@usufruct/kernel';
import { progress, type BenchPart } from '../report.ts';

const SHARE_BYTES = 34;
const LEAF_BYTES = 400;

interface Primitive {
  readonly name: string;
  readonly what: string;
  readonly times: number;
  readonly run: () => unknown;
}

/** Each by itself, one after another on one core: what a release cannot be faster than. */
export async function primitives(): Promise<BenchPart> {
  progress('release: primitives');
  const folder = mkdtempSync(join(tmpdir(), 'usufruct-primitives-'));
  const database = new DatabaseSync(join(folder, 'rows.sqlite'));
  try {
    const results: object[] = [];
    for (const { name, what, times, run } of await all(database)) {
      await run();
      const startedMs = performance.now();
      for (let i = 0; i < times; i++) await run();
      results.push({
        name: `primitive.${name}`,
        what,
        us: Math.round((1_000 * (performance.now() - startedMs)) / times),
      });
    }
    return { results, targets: [] };
  } finally {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function all(database: DatabaseSync): Promise<Primitive[]> {
  const pair = await generateKeyPair(systemRandom);
  const info = systemRandom(200);
  const aad = new Uint8Array();
  const plaintext = systemRandom(SHARE_BYTES);
  const many = new Uint8Array(randomBytes(10_000 * SHARE_BYTES));
  const to = { recipientPublicKey: pair.publicKey, info, aad };
  const from = { privateKey: pair.privateKey, info, aad };
  const [one, bundle] = [await seal({ ...to, plaintext }), await seal({ ...to, plaintext: many })];
  const dealt = deal({ threshold: 2, holderCount: 3, random: systemRandom });
  const log = new MerkleLog();
  const leaf = systemRandom(LEAF_BYTES);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (row BLOB NOT NULL) STRICT;');
  const insert = database.prepare('INSERT INTO rows VALUES (?)');
  return [
    { name: 'hpke_seal', what: 'one share, native X25519', times: 300, run: () => seal({ ...to, plaintext }) },
    { name: 'hpke_open', what: 'one share', times: 300, run: () => open({ ...from, sealed: one }) },
    { name: 'hpke_seal_10000', what: 'one bundle', times: 10, run: () => seal({ ...to, plaintext: many }) },
    { name: 'hpke_open_10000', what: 'one bundle', times: 10, run: () => open({ ...from, sealed: bundle }) },
    {
      name: 'feldman_verify',
      what: 'one share against two commitments',
      times: 100,
      run: () => verifyShare(dealt.shares[2]!, dealt.commitments),
    },
    {
      name: 'feldman_combine',
      what: 'two of three shares, proven against the first commitment',
      times: 100,
      run: () => combine(dealt.shares.slice(1), dealt.commitments),
    },
    {
      name: 'merkle_append',
      what: `a leaf of ${LEAF_BYTES} bytes`,
      times: 10_000,
      run: () => log.append(leafHash(leaf)),
    },
    {
      name: 'sqlite_insert_durable',
      what: 'one row, flushed to the disk',
      times: 50,
      run: () => insert.run(new Uint8Array(randomBytes(LEAF_BYTES))),
    },
    {
      name: 'sqlite_insert_10000',
      what: '10,000 rows in one transaction, flushed once',
      times: 3,
      run: () => {
        database.exec('BEGIN');
        for (let i = 0; i < 10_000; i++) insert.run(leaf);
        database.exec('COMMIT');
      },
    },
  ];
}
