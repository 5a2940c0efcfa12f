import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunningSystem } from '#local/system.js';
import { startTestSystem } from '../support/system.js';

const ROOT = resolve(import.meta.dirname, '../..');
const DOCUMENTS = join(ROOT, 'infra/demo/documents');

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describe('the demo and the command line, as people run them', () => {
  let system: RunningSystem;
  let home: string;

  beforeAll(async () => {
    system = await startTestSystem();
    home = mkdtempSync(join(tmpdir(), 'usufruct-people-'));
    writeFileSync(join(home, 'endpoints.json'), JSON.stringify(system.endpoints));
  }, 120_000);
  afterAll(async () => {
    await system?.stop();
    rmSync(home, { recursive: true, force: true });
  }, 30_000);

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
  }, 60_000);

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
    const { datasetId } = await good('founder', 'dataset', 'publish', '--dao', daoId!, '--title', 'Reports');

    const file = join(DOCUMENTS, 'cold-chain-report.txt');
    // There are no key servers for the local chain, and nothing is put in their place.
    const sealed = await cli('clinic', ['contribute', file, '--dataset', datasetId!, '--keys', 'seal']);
    expect([sealed.code, JSON.parse(sealed.out)]).toMatchObject([3, { error: { code: 'KEY_MODE_UNAVAILABLE' } }]);
    await cli('clinic', ['contribute', file, '--dataset', datasetId!], 450); // killed somewhere
    const { contributions } = await good('clinic', 'contribute', file, '--dataset', datasetId!);
    const contributionId = contributions[0]!.contributionId;
    const onChain = await good('founder', 'dataset', 'contributions', datasetId!);
    expect(onChain.contributions.map(({ id }) => id)).toEqual([contributionId]);
    await good('founder', 'dataset', 'accept', contributionId);
    const purpose = 'dpv:ResearchAndDevelopment';
    const given = await good('clinic', 'consent', 'grant', contributionId, '--purpose', purpose, '--floor', '1');
    const consent = join(home, 'consent.json');
    await good('clinic', 'consent', 'receipt', given['grantId']!, '--out', consent);
    await good('enterprise', 'consent', 'receipt', 'verify', consent, '--online');
    expect(await good('enterprise', 'dataset', 'croissant', datasetId!)).toMatchObject({
      croissant: { name: 'Reports', creator: { name: 'Field records' } },
    });

    expect(await good('enterprise', 'job', 'quote', datasetId!, '--questions', '2')).toMatchObject({
      quote: { escrowUnits: '3000000', usableContributions: 1 },
      keys: { holders: 1, seal: 0, unreadable: 0, notRead: 0 },
    });
    const submit = ['job', 'submit', datasetId!, '--questions', '2', '--key', 'one'];
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
  }, 150_000);
});
