import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, generateSigningKey, sign } from '@usufruct/crypto';
import {
  asAmount,
  CATALOGUE,
  ERROR_CODES,
  fromHex,
  refuse,
  toBase64,
  type Digest,
  type QuestionId,
  type RunnerId,
} from '@usufruct/kernel';
import { LIMITS, RefusalReceiptBcs, runnerIdOf, TAGS, toWireJson } from '@usufruct/protocol';
import { FILE_FORMATS } from '@usufruct/sdk';
import { aJob, aRunner, idOf, TEST_NOW_MS, testChainInfo } from '@usufruct/testing';
import fc from 'fast-check';
import { formatCoins, parseCoins } from './amounts.js';
import { readEndpoints } from './endpoints.js';
import { exitCodeOf } from './exit-codes.js';
import { fileJournal } from './journal-file.js';
import { main } from './main.js';
import { createWalletFile, DEV_WALLET_LABEL, openWalletFile } from './wallet-file.js';

const COIN = { type: 't', symbol: 'USDC', decimals: 6 };
const seeded = (lengthBytes: number): Uint8Array => new Uint8Array(lengthBytes).fill(7);
const ENDPOINTS = {
  apiUrl: 'http://127.0.0.1:9',
  chainUrl: 'http://127.0.0.1:9',
  suiNetwork: 'local',
  publisherUrl: 'http://127.0.0.1:9',
  aggregatorUrl: 'http://127.0.0.1:9',
  holderUrls: ['http://127.0.0.1:9'],
};

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'usufruct-cli-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

/** One command line of a user whose home is `home`. */
async function run(args: readonly string[], environment: Record<string, string> = {}) {
  const said = { out: '', err: '' };
  const file = join(home, 'endpoints.json');
  if (environment['USUFRUCT_ENDPOINTS'] === undefined) writeFileSync(file, JSON.stringify(ENDPOINTS));
  const code = await main(['node', 'usufruct', ...args], {
    environment: { USUFRUCT_ENDPOINTS: file, ...environment },
    homeDirectory: home,
    streams: {
      out: (text) => (said.out += text),
      err: (text) => (said.err += text),
      bars: null,
      ask: null,
    },
  });
  return { code, ...said };
}

describe('exit codes', () => {
  it('follow the catalogue: what is not there is 4, what is refused is 3, what was typed wrong is 2', () => {
    const codes = new Map(ERROR_CODES.map((code) => [code, exitCodeOf(refuse(code))]));
    const away = ERROR_CODES.filter((code) => CATALOGUE[code].http === 503 || CATALOGUE[code].http === 504);
    expect(away.map((code) => codes.get(code))).toEqual(away.map(() => 4));
    const some = ['INTERNAL', 'INVALID_ARGUMENT', 'CONFIG_INVALID', 'GRANT_REVOKED', 'CHAIN_UNAVAILABLE'] as const;
    expect(some.map((code) => codes.get(code))).toEqual([1, 2, 2, 3, 4]);
    expect([...codes.values()].every((code) => code > 0)).toBe(true);
  });
});

describe('amounts', () => {
  it.each([
    ['0', 0n],
    ['1', 1_000_000n],
    ['2.5', 2_500_000n],
    ['0.000001', 1n],
    ['18446744073709.551615', 2n ** 64n - 1n],
  ])('%s', (text, units) => {
    expect(parseCoins(text, COIN, 'amount')).toBe(units);
  });
  it.each(['', '-1', '+1', '1.', '.5', '01', '1e3', '1,5', '0.0000001', '18446744073709.551616', ' 1', 'NaN'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseCoins(text, COIN, 'amount')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    },
  );
  it('are read back as they were written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.integer({ min: 0, max: 9 }), (units, decimals) => {
        const coin = { ...COIN, decimals };
        expect(parseCoins(formatCoins(units, coin).replace(' USDC', ''), coin, 'amount')).toBe(units);
      }),
    );
  });
});

describe('the wallet file', () => {
  it('is for its owner only, says what it is, and is not overwritten', () => {
    const path = join(home, 'deep', 'wallet.json');
    const { address } = createWalletFile(path, 'local', seeded);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ label: DEV_WALLET_LABEL });
    expect(openWalletFile(path, 'local').address).toBe(address);
    expect(() => createWalletFile(path, 'local', seeded)).toThrow(expect.objectContaining({ code: 'ALREADY_EXISTS' }));
  });
  it.each(['testnet', 'mainnet', 'https://rpc.example'])('is refused on %s', (network) => {
    const path = join(home, 'wallet.json');
    const refused = expect.objectContaining({ code: 'STAND_IN_FORBIDDEN' });
    expect(() => createWalletFile(path, network, seeded)).toThrow(refused);
    createWalletFile(path, 'local', seeded);
    expect(() => openWalletFile(path, network)).toThrow(refused);
  });
  it('is refused when others may read it, when it is not one, and when there is none', () => {
    const path = join(home, 'wallet.json');
    const refused = expect.objectContaining({ code: 'CONFIG_INVALID' });
    expect(() => openWalletFile(path, 'local')).toThrow(refused);
    createWalletFile(path, 'local', seeded);
    chmodSync(path, 0o644);
    expect(() => openWalletFile(path, 'local')).toThrow(refused);
    writeFileSync(path, '{"secretKey":"suiprivkey1"}', { mode: 0o600 });
    expect(() => openWalletFile(path, 'local')).toThrow(refused);
  });
});

describe('the journal file', () => {
  it('is for its owner only, survives being reopened, and lists by prefix', async () => {
    const path = join(home, 'journal.sqlite');
    const first = fileJournal(path);
    await first.put('a/2', 'two');
    await first.put('a/1', 'one');
    await first.put('a%', 'percent');
    await first.put('b', 'other');
    await first.put('a/1', 'one again');
    first.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const second = fileJournal(path);
    expect(await second.get('a/1')).toBe('one again');
    expect(await second.get('c')).toBeNull();
    expect(await second.keys('a/')).toEqual(['a/1', 'a/2']);
    expect(await second.keys('')).toEqual(['a%', 'a/1', 'a/2', 'b']);
    await second.delete('a/1');
    expect(await second.keys('a/')).toEqual(['a/2']);
    second.close();
  });
  it('leaves nothing of a deleted secret in the file, and no second file', async () => {
    const path = join(home, 'journal.sqlite');
    const journal = fileJournal(path);
    await journal.put('seed', 'the-secret-that-must-go');
    expect(readFileSync(path).includes('the-secret-that-must-go')).toBe(true);
    await journal.delete('seed');
    expect(readFileSync(path).includes('the-secret-that-must-go')).toBe(false);
    expect(statSync(`${path}-wal`, { throwIfNoEntry: false })).toBeUndefined();
    journal.close();
  });
});

describe('endpoints', () => {
  it('come from a file, and single settings from the environment', () => {
    const file = join(home, 'e.json');
    writeFileSync(file, JSON.stringify(ENDPOINTS));
    const environment = { USUFRUCT_API_URL: 'http://other:1', USUFRUCT_HOLDER_URLS: 'http://h1:1,http://h2:1' };
    expect(readEndpoints({ file, environment })).toMatchObject({
      apiUrl: 'http://other:1',
      holderUrls: ['http://h1:1', 'http://h2:1'],
      chainUrl: ENDPOINTS.chainUrl,
    });
  });
  it.each([
    ['a file that is not there', 'missing.json', null, 'endpoints file'],
    ['a file that is no JSON', 'e.json', 'x', 'endpoints file'],
    ['a setting that is missing', 'e.json', '{}', 'apiUrl'],
    [
      'a setting that is no address',
      'e.json',
      JSON.stringify({ ...ENDPOINTS, publisherUrl: 'file:///etc' }),
      'publisherUrl',
    ],
  ])('refuses %s, by name', (_what, name, content, setting) => {
    const file = join(home, name);
    if (content !== null) writeFileSync(file, content);
    const details = expect.objectContaining({ setting });
    expect(() => readEndpoints({ file, environment: {} })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', details }),
    );
  });
});

describe('the command line', () => {
  it('says how to use it with 0, and that it was used wrongly with 2', async () => {
    const help = await run(['--help']);
    expect(help.code).toBe(0);
    expect(help.out).toContain('Exit codes:');
    for (const args of [['nonsense'], ['contribute'], ['dao', 'create'], ['ask', 'x'], ['--no-such-option']]) {
      expect((await run(args)).code).toBe(2);
    }
  });

  it('prints one JSON object and nothing else with --json, for good and for bad', async () => {
    const made = await run(['--json', 'wallet', 'new']);
    expect(made.code).toBe(0);
    expect(JSON.parse(made.out)).toMatchObject({ ok: true, label: DEV_WALLET_LABEL });
    const again = await run(['wallet', 'new', '--json']);
    expect(again.code).toBe(3);
    expect(JSON.parse(again.out)).toMatchObject({ ok: false, error: { code: 'ALREADY_EXISTS' } });
    expect(again.err).toBe('');
  });

  it.each([[['proxy', '--allow-remote', '--no-key']], [['proxy']], [['mcp', '--http']]])(
    'lets %j be reached from this computer only, unless more is asked for, with a key',
    async (args) => {
      const said = await run([...args, '--max-spend', '1', '--host', '0.0.0.0', '--json']);
      expect(JSON.parse(said.out)).toMatchObject({ error: { code: 'INVALID_ARGUMENT', details: { field: 'host' } } });
    },
  );

  it.each([
    [['nonsense'], 'there is no such command'],
    [['dao', 'nonsense'], 'there is no such command'],
    [[], 'a command is missing'],
    [['dao'], 'a command is missing'],
    [['contribute', '--dataset', '0x1'], "missing required argument 'file'"],
    [['proxy'], "required option '--max-spend <amount>' not specified"],
    [['wallet', 'show', '--nonsense'], 'there is no such option'],
    [['wallet', 'show', 'nonsense'], 'there are more arguments than the command takes'],
  ])('says with --json why %j is no command, and repeats nothing that was typed', async (args, reason) => {
    for (const line of [
      ['--json', ...args],
      [...args, '--json'],
    ]) {
      const said = await run(line);
      expect([said.code, said.err]).toEqual([2, '']);
      expect(JSON.parse(said.out)).toEqual({
        ok: false,
        error: refuse('INVALID_ARGUMENT', { field: 'command line', reason }).toWire(),
      });
      expect(said.out).not.toContain('nonsense');
    }
    const forPeople = await run(args);
    expect([forPeople.code, forPeople.out]).toEqual([2, '']);
    expect(forPeople.err).not.toBe('');
  });

  it('says with --json which option has no value', async () => {
    const said = await run(['--json', 'wallet', 'show', '--home']);
    expect([said.code, JSON.parse(said.out).error.details.reason]).toEqual([
      2,
      "option '--home <dir>' argument missing",
    ]);
  });

  it('exits with 4 when a part is not there, and says which in doctor', async () => {
    await run(['wallet', 'new']);
    expect((await run(['wallet', 'show'])).code).toBe(4);
    const doctor = await run(['doctor']);
    expect(doctor.code).toBe(4);
    expect(doctor.err).toContain('FAIL CHAIN: CHAIN_UNAVAILABLE');
    expect(doctor.err).toContain('ok   WALLET');
  });

  it('exits with 2 without a wallet or endpoints, and names what is missing', async () => {
    expect(await run(['wallet', 'show'])).toMatchObject({ code: 2, out: '' });
    const without = await run(['wallet', 'show'], { USUFRUCT_ENDPOINTS: join(home, 'none.json') });
    expect(without.code).toBe(2);
    expect(without.err).toContain('endpoints file');
  });

  it('judges a signed refusal from a file, without any network, and names the check that fails', async () => {
    const file = join(home, 'refusal.json');
    const key = generateSigningKey(() => seeded(32));
    const [chain, job] = [testChainInfo(), aJob()];
    const runner = aRunner({ id: runnerIdOf<RunnerId>(key.publicKey), signingPublicKey: toBase64(key.publicKey) });
    const { chainId, packageId, registryId } = chain;
    const message = RefusalReceiptBcs.serialize({
      chainId,
      packageId,
      registryId,
      jobId: job.id,
      questionId: idOf<QuestionId>('question'),
      sealedQuestionSha256: idOf<Digest>('sealed'),
      signerPublicKey: key.publicKey,
      evidenceDigest: idOf<Digest>('evidence'),
      codeHash: digestOf(fromHex(runner.measurement)),
      code: 'REACH_LIMIT',
      priceUnits: asAmount(0n),
      issuedAtMs: TEST_NOW_MS,
    }).toBytes();
    const signature = await sign({ secretKey: key.secretKey, domainTag: TAGS.refusalReceipt, message });
    const evidence = { refusal: toBase64(message), signature: toBase64(signature), chain, job, runner };
    writeFileSync(file, toWireJson({ ...evidence, settledReceipt: null }));
    const said = await run(['receipt', 'verify', file]);
    expect(said.code).toBe(0);
    expect(said.err).toContain('REACH_LIMIT');
    expect(said.out).toContain('ok   NOT_CHARGED');
    writeFileSync(file, toWireJson({ ...evidence, runner: null, settledReceipt: null }));
    const refused = await run(['--json', 'receipt', 'verify', file]);
    expect(JSON.parse(refused.out).error).toMatchObject({
      code: 'RECEIPT_INVALID',
      details: { checks: 'RUNNER_REGISTERED' },
    });
  });

  it('refuses a bad id, a bad amount and a bad file before anything is asked of anybody', async () => {
    await run(['wallet', 'new']);
    const file = join(home, 'film.mov');
    writeFileSync(file, 'x');
    const empty = join(home, 'empty.txt');
    writeFileSync(empty, '');
    const large = join(home, 'large.txt');
    writeFileSync(large, '');
    truncateSync(large, 14 * 1024 ** 3); // with nothing in it: no disk is filled, and nothing of it is read
    const dataset = `0x${'0'.repeat(64)}`;
    const rows: readonly [readonly string[], number, string][] = [
      [['contribute', file, '--dataset', dataset], 3, 'FORMAT_UNKNOWN'],
      [['contribute', empty, '--dataset', dataset], 3, 'FILE_EMPTY'],
      [['contribute', large, '--dataset', dataset], 3, 'FILE_TOO_LARGE'],
      [['contribute', join(home, 'none.txt'), '--dataset', dataset], 3, 'NOT_FOUND'],
      [['contribute', file, '--dataset', '0x12'], 2, 'INVALID_ARGUMENT'],
      [['contribute', file, '--dataset', dataset, '--keys', 'nobody'], 2, 'INVALID_ARGUMENT'],
      [['consent', 'revoke', 'x'], 2, 'INVALID_ARGUMENT'],
      [['receipt', 'verify', join(home, 'none.json')], 3, 'NOT_FOUND'],
      [['receipt', 'verify', join(home, 'endpoints.json')], 2, 'INVALID_ARGUMENT'],
    ];
    for (const [args, code, error] of rows) {
      const said = await run(['--json', ...args]);
      expect([said.code, JSON.parse(said.out).error.code]).toEqual([code, error]);
    }
    expect(Object.keys(FILE_FORMATS)).not.toContain('mov');
  });

  it('says of a file that no runner will read it, before it is sent', async () => {
    await run(['wallet', 'new']);
    const [most, more] = ['most.txt', 'more.txt'].map((name) => join(home, name)) as [string, string];
    for (const [path, sizeBytes] of [
      [most, LIMITS.documentBytes],
      [more, LIMITS.documentBytes + 1],
    ] as const) {
      writeFileSync(path, '');
      truncateSync(path, sizeBytes);
    }
    // To a dataset that cannot be reached.
    const said = await run(['contribute', most, more, '--dataset', `0x${'0'.repeat(64)}`]);
    expect(said.code).not.toBe(0);
    expect(said.err.split('\n').filter((line) => line.includes('larger than runners read'))).toEqual([
      'more.txt: stored, but larger than runners read',
    ]);
  });

  it('mints from the faucet on the local chain only', async () => {
    await run(['wallet', 'new']);
    const info = {
      chainId: 'sui:testnet',
      packageId: `0x${'1'.repeat(64)}`,
      registryId: `0x${'2'.repeat(64)}`,
      coin: COIN,
      protocolAccount: `0x${'3'.repeat(64)}`,
      standIn: false,
    };
    const asked: string[] = [];
    const server: Server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end(JSON.stringify(info));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const said = await run(['--json', 'faucet', '1'], { USUFRUCT_CHAIN_URL: `http://127.0.0.1:${port}` });
    server.close();
    expect([said.code, JSON.parse(said.out).error.code]).toEqual([3, 'STAND_IN_FORBIDDEN']);
    expect(asked).toEqual(['GET /v1/info']);
  });
});
