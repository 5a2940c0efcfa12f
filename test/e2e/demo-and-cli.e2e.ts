import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import OpenAI from 'openai';
import type { RunningSystem } from '#local/system.js';
import { startTestSystem } from '../support/system.js';

const ROOT = resolve(import.meta.dirname, '../..');
const DOCUMENTS = join(ROOT, 'infra/demo/documents');

/** Of a contribution as the chain has it. */
interface Listed {
  readonly id: string;
  readonly owner: string;
  readonly parts: readonly { readonly blob: string }[];
  readonly manifestBlob: { readonly blob: string };
}

interface Whereabouts {
  readonly blobs: readonly { readonly where: string }[];
}
interface Erased {
  readonly receipt: { readonly blobs: readonly { readonly state: string }[] };
}

interface Kept {
  readonly copied: { readonly names: readonly string[] };
}

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describe('the demo and the command line, as people run them', () => {
  let system: RunningSystem;
  let home: string;
  let datasetId: string;

  beforeAll(async () => {
    system = await startTestSystem();
    home = mkdtempSync(join(tmpdir(), 'usufruct-people-'));
    writeFileSync(join(home, 'endpoints.json'), JSON.stringify(system.endpoints));
  }, 240_000);
  let proxy: ChildProcess | undefined;
  afterAll(async () => {
    proxy?.kill('SIGKILL');
    await system?.stop();
    rmSync(home, { recursive: true, force: true });
  }, 240_000);

  const run = (program: string, args: readonly string[], killAfterMs?: number): Promise<Said> =>
    new Promise((done, fail) => {
      const environment = { PATH: process.env['PATH'] ?? '', USUFRUCT_HOME: home };
      const child = spawn(process.execPath, ['--no-warnings', join(ROOT, program), ...args], {
        cwd: ROOT,
        env: environment,
      });
      const said = { out: '', err: '' };
      child.stdout.on('data', (text) => (said.out += String(text)));
      child.stderr.on('data', (text) => (said.err += String(text)));
      if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      child.on('error', fail);
      child.on('close', (code) => done({ code, ...said }));
    });
  /** The CLI as one person: a home with a wallet and a journal of its own. */
  const cli = (person: string, args: readonly string[], killAfterMs?: number): Promise<Said> =>
    run('apps/cli/bin/usufruct.mjs', ['--json', '--home', join(home, person), ...args], killAfterMs);
  const good = async (person: string, ...args: readonly string[]) => {
    const { code, out, err } = await cli(person, args);
    expect({ args, code, err: code === 0 ? '' : err + out }).toEqual({ args, code: 0, err: '' });
    return JSON.parse(out) as Record<string, string> & { contributions: { contributionId: string; id: string }[] };
  };

  it('npm run demo: everything that it says it shows holds', async () => {
    const { code, out } = await run('infra/demo/demo.mjs', ['--json']);
    const result = JSON.parse(out) as { ok: boolean; expectations: { what: string; holds: boolean }[] };
    expect(result.expectations.filter(({ holds }) => !holds)).toEqual([]);
    expect(result.expectations.length).toBeGreaterThan(5);
    expect([code, result.ok]).toEqual([0, true]);
  }, 240_000);

  it('npm run demo says so when nothing runs', async () => {
    const nobody = mkdtempSync(join(tmpdir(), 'usufruct-nobody-'));
    const before = home;
    home = nobody;
    const { code, err, out } = await run('infra/demo/demo.mjs', []);
    home = before;
    rmSync(nobody, { recursive: true });
    expect([code, out]).toEqual([4, '']);
    expect(err).toContain('npm start');
  });

  it('usufruct: from a new wallet to a verified receipt and the money on the account', async () => {
    for (const person of ['founder', 'clinic', 'enterprise']) await good(person, 'wallet', 'new');
    await good('founder', 'doctor');
    await good('enterprise', 'faucet', '10');
    const { daoId } = await good('founder', 'dao', 'create', '--title', 'Field records', '--price', '1.5');
    expect(await good('founder', 'dao', 'create', '--title', 'Field records', '--price', '1.5')).toMatchObject({
      daoId,
    });
    datasetId = (await good('founder', 'dataset', 'publish', '--dao', daoId!, '--title', 'Reports'))['datasetId']!;

    const file = join(DOCUMENTS, 'cold-chain-report.txt');
    // There are no key servers for the local chain, and nothing is put in their place.
    const sealed = await cli('clinic', ['contribute', file, '--dataset', datasetId, '--keys', 'seal']);
    expect([sealed.code, JSON.parse(sealed.out)]).toMatchObject([3, { error: { code: 'KEY_MODE_UNAVAILABLE' } }]);
    await cli('clinic', ['contribute', file, '--dataset', datasetId], 450); // killed somewhere
    const { contributions } = await good('clinic', 'contribute', file, '--dataset', datasetId);
    const contributionId = contributions[0]!.contributionId;
    const onChain = await good('founder', 'dataset', 'contributions', datasetId);
    expect(onChain.contributions.map(({ id }) => id)).toEqual([contributionId]);
    await good('founder', 'dataset', 'accept', contributionId);
    const purpose = 'dpv:ResearchAndDevelopment';
    const given = await good('clinic', 'consent', 'grant', contributionId, '--purpose', purpose, '--floor', '1');
    const consent = join(home, 'consent.json');
    await good('clinic', 'consent', 'receipt', given['grantId']!, '--out', consent);
    await good('enterprise', 'consent', 'receipt', 'verify', consent, '--online');
    expect(await good('enterprise', 'dataset', 'croissant', datasetId)).toMatchObject({
      croissant: { name: 'Reports', creator: { name: 'Field records' } },
    });

    expect(await good('enterprise', 'job', 'quote', datasetId, '--questions', '2')).toMatchObject({
      quote: { escrowUnits: '3000000', usableContributions: 1 },
      keys: { holders: 1, seal: 0, unreadable: 0, notRead: 0 },
    });
    const submit = ['job', 'submit', datasetId, '--questions', '2', '--key', 'one'];
    const { jobId } = await good('enterprise', ...submit);
    expect(await good('enterprise', ...submit)).toMatchObject({ jobId });

    const evidence = join(home, 'evidence.json');
    const ask = ['ask', 'Why did the vaccine fridge rise above 8 degrees?', '--job', jobId!, '--key', 'q'];
    const asked = await good('enterprise', ...ask, '--evidence', evidence);
    expect(asked['answer']).toMatchObject({ text: expect.stringContaining('11.6 volts') });
    await good('enterprise', 'receipt', 'verify', evidence);
    await good('enterprise', 'receipt', 'verify', evidence, '--online');

    await good('enterprise', 'job', 'close', jobId!);
    expect(await good('enterprise', 'wallet', 'show')).toMatchObject({ balanceUnits: '8500000' });
    expect(await good('clinic', 'wallet', 'show')).toMatchObject({ balanceUnits: '1200000' }); // 80 % of 1.5
    expect(await good('clinic', 'payout', 'list')).toMatchObject({ reconciliation: { agrees: true } });
    const { holders } = await good('clinic', 'releases', 'list', contributionId);
    expect(holders).toHaveLength(3);
  }, 240_000);

  it('usufruct contribute FOLDER: killed in the middle and typed again, many small files lie in a few quilts', async () => {
    const folder = join(home, 'notes');
    mkdirSync(folder);
    for (let i = 0; i < 18; i++) writeFileSync(join(folder, `note-${i}.txt`), `Note ${i}: the cold room was open.`);
    await good('archive', 'wallet', 'new');
    const contribute = ['contribute', folder, '--dataset', datasetId];
    await cli('archive', contribute, 1_500); // killed somewhere
    const { contributions } = await good('archive', ...contribute);
    expect(contributions).toHaveLength(18);
    const { address } = await good('archive', 'wallet', 'show');
    const all = (await good('founder', 'dataset', 'contributions', datasetId)).contributions as unknown as Listed[];
    const own = all.filter(({ owner }) => owner === address);
    expect(own).toHaveLength(18);
    // 25 shards have room for 16 files in a quilt.
    const different = (blobs: readonly { readonly blob: string }[]) => new Set(blobs.map(({ blob }) => blob)).size;
    expect([different(own.flatMap(({ parts }) => parts)), different(own.map((one) => one.manifestBlob))]).toEqual([
      2, 2,
    ]);
    const copy = join(home, 'copy');
    const first = own[0]!.id;
    const { copied } = (await good('archive', 'contribution', 'copy', first, '--to', copy)) as unknown as Kept;
    // Its part and its manifest, and the quilts that they lie in.
    expect(copied.names).toHaveLength(4);
    expect(await good('archive', 'contribution', 'repair', first, '--copy', copy)).toMatchObject({
      repair: { complete: true, blobs: [{ state: 'there' }, { state: 'there' }] },
    });
  }, 240_000);

  it('usufruct contribute --custody: the dataset keeps the objects, also from their owner, until it is erased', async () => {
    const file = join(home, 'kept.txt');
    writeFileSync(file, 'The dataset keeps this one.');
    const contribute = ['contribute', file, '--dataset', datasetId, '--custody'];
    await cli('archive', contribute, 1_000); // killed somewhere
    const id = (await good('archive', ...contribute)).contributions[0]!.contributionId;
    const where = async () => {
      const { blobs } = (await good('archive', 'contribution', 'custody', 'status', id)) as unknown as Whereabouts;
      return blobs.map((one) => one.where);
    };
    expect(await where()).toEqual(['custody', 'custody']);
    const early = await cli('archive', ['contribution', 'custody', 'withdraw', id]);
    expect([early.code, JSON.parse(early.out)]).toMatchObject([3, { error: { code: 'FORBIDDEN' } }]);
    const { receipt } = (await good('archive', 'erase', id, '--yes')) as unknown as Erased;
    expect(receipt.blobs.map(({ state }) => state)).toEqual(['gone', 'gone']);
    expect(await where()).toEqual(['elsewhere', 'elsewhere']);
  }, 240_000);

  const balanceUnits = async (): Promise<bigint> =>
    BigInt((await good('enterprise', 'wallet', 'show'))['balanceUnits']!);
  const environment = (): Record<string, string> => ({ PATH: process.env['PATH'] ?? '', USUFRUCT_HOME: home });
  const asEnterprise = (...args: readonly string[]): string[] => [
    '--no-warnings',
    join(ROOT, 'apps/cli/bin/usufruct.mjs'),
    '--home',
    join(home, 'enterprise'),
    ...args,
  ];
  const QUESTION = 'Why did the vaccine fridge rise above 8 degrees?';

  it("usufruct proxy: OpenAI's own client asks, streams, gives up and repeats, and each question is paid once", async () => {
    await good('enterprise', 'faucet', '40');
    const before = await balanceUnits();
    const limits = ['--max-spend', '24', '--session-questions', '8', '--port', '0', '--dataset', datasetId];
    const started = spawn(process.execPath, asEnterprise('--json', 'proxy', ...limits), {
      cwd: ROOT,
      env: environment(),
    });
    proxy = started;
    started.stderr.resume();
    const ended = new Promise((done) => started.on('close', done));
    const [line] = (await once(started.stdout, 'data')) as [Buffer];
    const { url, keyFile } = JSON.parse(line.toString()) as { url: string; keyFile: string };
    const apiKey = readFileSync(keyFile, 'utf8').trim();
    const openai = new OpenAI({ baseURL: url, apiKey, maxRetries: 0 });
    const model = `usufruct/${datasetId}`;
    const ask = (content: string, options: object = {}) =>
      openai.chat.completions.create({ model, messages: [{ role: 'user', content }] }, options);
    const extension = (of: object) => (of as { usufruct: Record<string, unknown> }).usufruct;

    expect((await openai.models.list()).data.map(({ id }) => id)).toEqual([model]);
    const gone = new AbortController();
    const givenUp = ask(QUESTION, { signal: gone.signal });
    setTimeout(() => gone.abort(), 1_000);
    await givenUp.catch(() => undefined); // given up, or answered just before
    const first = await ask(QUESTION);
    expect(first.choices[0]!.message.content).toContain('11.6 volts');
    expect(extension(first)).toMatchObject({ repeated: true, generator: 'extractive', known: true });

    const stream = await openai.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'What happened on 14 July?' }],
      stream: true,
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toContain('14 July');
    expect(extension(chunks.at(-1)!)).toMatchObject({ cost_units: '1500000', repeated: false });

    const texts = [...Array(20).keys()].map((n) => `What of the fridge on day ${n % 10}?`);
    const many = await Promise.all(texts.map((text) => ask(text)));
    expect(many.filter((one) => extension(one)['repeated'] === false)).toHaveLength(10);

    const headers = { authorization: `Bearer ${apiKey}` };
    const receipt = await fetch(`${url}/receipts/${String(extension(first)['receipt_id'])}`, { headers });
    expect(await receipt.json()).toMatchObject({ ok: true });
    const evidence = await fetch(`${url}/attestation?nonce=${Buffer.alloc(32, 5).toString('base64url')}`, { headers });
    expect(await evidence.json()).toMatchObject({ object: 'usufruct.attestation', ok: true, stand_in: true });

    // What is known is paid, until the limit is reached: 16 questions at 1.5.
    const codes: string[] = [];
    while (codes.length < 20 && codes.at(-1) !== 'SPENDING_LIMIT') {
      codes.push(
        await ask(`${QUESTION} ${codes.length}`).then(
          () => 'ok',
          ({ code }) => String(code),
        ),
      );
    }
    expect(new Set(codes)).toEqual(new Set(['ok', 'SPENDING_LIMIT']));
    const { data } = (await (await fetch(`${url}/receipts`, { headers })).json()) as {
      data: { price_units: string }[];
    };
    const paidUnits = data.reduce((sum, { price_units: units }) => sum + BigInt(units), 0n);
    started.kill('SIGTERM');
    expect(await ended).toBe(0);
    // What nothing was found for costs nothing; all that was not paid has come back.
    expect(before - (await balanceUnits())).toBe(paidUnits);
    expect(paidUnits).toBe(24_000_000n);
  }, 240_000);

  it('usufruct mcp: an agent sees prices, asks within its limit, and verifies the receipt', async () => {
    const before = await balanceUnits();
    const agent = new Client({ name: 'agent', version: '1' });
    const args = asEnterprise('mcp', '--max-spend', '3', '--session-questions', '1');
    await agent.connect(
      new StdioClientTransport({ command: process.execPath, args, cwd: ROOT, env: environment(), stderr: 'ignore' }),
    );
    const call = async (name: string, given: Record<string, unknown> = {}) =>
      (await agent.callTool({ name, arguments: given })).structuredContent as Record<string, never>;
    const { datasets } = await call('list_datasets');
    expect(datasets).toContainEqual(expect.objectContaining({ dataset: datasetId, price: '1.5 LUSD' }));
    expect(await call('quote', { dataset: datasetId })).toMatchObject({ usable_contributions: 1 });
    const question = 'What happened on 14 July?';
    const answer = await call('ask', { dataset: datasetId, question, max_price: '1.5' });
    expect(answer).toMatchObject({ cost: '1.5 LUSD', receipt_verified: true });
    expect(await call('ask', { dataset: datasetId, question, max_price: '1.5' })).toMatchObject({ paid_before: true });
    expect(await call('verify_receipt', { receipt_id: answer['receipt_id'] })).toMatchObject({ ok: true });
    const dear = await agent.callTool({
      name: 'ask',
      arguments: { dataset: datasetId, question: 'x', max_price: '1' },
    });
    expect([dear.isError, JSON.stringify(dear.content)]).toEqual([true, expect.stringContaining('SPENDING_LIMIT')]);
    await agent.close();
    expect(before - (await balanceUnits())).toBe(1_500_000n);

    // Over HTTP, for agents that are started by themselves.
    const served = spawn(process.execPath, asEnterprise('--json', 'mcp', '--http', '--port', '0', '--max-spend', '3'), {
      cwd: ROOT,
      env: environment(),
    });
    proxy = served;
    served.stderr.resume();
    const ended = new Promise((done) => served.on('close', done));
    const [line] = (await once(served.stdout, 'data')) as [Buffer];
    const { url, keyFile } = JSON.parse(line.toString()) as { url: string; keyFile: string };
    const headers = { authorization: `Bearer ${readFileSync(keyFile, 'utf8').trim()}` };
    const remote = new Client({ name: 'agent', version: '1' });
    await remote.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
    const listing = await remote.callTool({ name: 'list_datasets', arguments: {} });
    expect(listing.structuredContent).toMatchObject({
      cost: '0 LUSD',
      datasets: expect.arrayContaining([expect.objectContaining({ dataset: datasetId })]),
    });
    await remote.close();
    served.kill('SIGTERM');
    expect(await ended).toBe(0);

    // The same from the command line, in a session for one question.
    const single = ['ask', QUESTION, '--dataset', datasetId, '--max-price', '2', '--key', 'k'];
    expect(await good('enterprise', ...single)).toMatchObject({ costUnits: '1500000' });
    expect(await good('enterprise', ...single)).toMatchObject({ costUnits: '0' });
    expect(before - (await balanceUnits())).toBe(3_000_000n);

    // And of two datasets at once: one has nothing that may be used, which is said, and the other one is paid.
    const { daoId } = await good('founder', 'dao', 'create', '--title', 'Empty shelves', '--price', '0.5');
    const empty = (await good('founder', 'dataset', 'publish', '--dao', daoId!, '--title', 'Nothing'))['datasetId']!;
    const both = ['ask', QUESTION, '--dataset', datasetId, '--dataset', empty, '--max-price'];
    expect(await cli('enterprise', [...both, '1.9'])).toMatchObject({ out: expect.stringContaining('SPENDING_LIMIT') });
    const { code, out } = await cli('enterprise', [...both, '2']);
    const [answered, refused] = [{ datasetId, costUnits: '1500000' }, { datasetId: empty, error: { code: 'NO_USABLE_DATA' } }]; // prettier-ignore
    expect([code, JSON.parse(out)]).toMatchObject([3, { parts: [answered, refused], costUnits: '1500000' }]);
    expect(before - (await balanceUnits())).toBe(4_500_000n);

    const { jobId } = await good('enterprise', 'job', 'submit', datasetId, '--questions', '1');
    const streamed = await cli('enterprise', ['ask', QUESTION, '--job', jobId!, '--stream']);
    expect([streamed.code, streamed.err]).toEqual([0, expect.stringContaining('| The vaccine fridge rose')]);
    expect(JSON.parse(streamed.out)).toMatchObject({ ok: true, answer: { generator: 'extractive' } });
  }, 240_000);
});
