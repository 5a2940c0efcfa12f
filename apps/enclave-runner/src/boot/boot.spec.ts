import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { appraiseEvidence, rootSetWithDevRoot } from '@usufruct/attestation';
import { createDevPki, DEV_PKI_FILES } from '@usufruct/attestation-dev';
import { jsonLogger, systemClock, systemRandom, toBase64Url, UsufructError, type JobId } from '@usufruct/kernel';
import { clientChallenge, LIMITS, parseAt, zEvidenceBundle, zRunnerIdentity } from '@usufruct/protocol';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalChain, type RunningChain } from '../../../local-chain/src/start.js';
import { readConfig } from './config.js';
import { startRunner, type RunningRunner } from './start-runner.js';

const JOB = `0x${'07'.repeat(32)}` as JobId;

describe('the running process', () => {
  let directory: string;
  let chain: RunningChain;
  let runner: RunningRunner;
  let rootPem: string;
  let environment: Record<string, string>;
  const lines: string[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'runner-boot-'));
    const pki = await createDevPki(Date.now());
    rootPem = pki.root;
    for (const [name, file] of Object.entries(DEV_PKI_FILES)) {
      writeFileSync(join(directory, file), pki[name as keyof typeof pki]);
    }
    chain = await startLocalChain({
      host: '127.0.0.1',
      port: 0,
      allowedOrigins: [],
      logger: jsonLogger('chain', systemClock, () => undefined),
      dataDir: join(directory, 'chain'),
      clock: systemClock,
      random: systemRandom,
    });
    environment = {
      PORT: '0',
      DATA_DIR: join(directory, 'data'),
      CHAIN_URL: chain.url,
      HOLDER_URLS: 'http://127.0.0.1:9, http://127.0.0.1:9/',
      AGGREGATOR_URL: 'http://127.0.0.1:9',
      RUNNER_WALLET_SECRET: new Ed25519Keypair().getSecretKey(),
      TEE_DEVICE: 'software',
      TEE_DEV_DIR: directory,
    };
    runner = await startRunner(readConfig(environment), (line) => lines.push(line));
  });
  afterAll(async () => {
    await runner.stop();
    await chain.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const get = (path: string) => fetch(`${runner.url}${path}`);
  const post = (path: string, body: string) => fetch(`${runner.url}${path}`, { method: 'POST', body });
  const codeOf = async (answer: Promise<Response>) => {
    const response = await answer;
    return [response.status, ((await response.json()) as { code: string }).code];
  };

  it('says who it is and which parts are stand-ins', async () => {
    const identity = parseAt(zRunnerIdentity, await (await get('/v1/runner')).json(), 'runner');
    expect(identity.standIns).toEqual(['software TEE', 'local chain']);
    expect(identity.profile).toBe('software-dev');
    expect(identity.measurement).toMatch(/^[0-9a-f]{96}$/);
    expect(lines.join('\n')).toContain('DEV ONLY');
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
  });

  it('gives evidence for a fresh nonce that an appraiser accepts, for its own keys', async () => {
    const nonce = systemRandom(32);
    const response = await get(`/v1/attestation?nonce=${toBase64Url(nonce)}&jobId=${JOB}`);
    const bundle = parseAt(zEvidenceBundle, await response.json(), 'runner');
    const identity = parseAt(zRunnerIdentity, await (await get('/v1/runner')).json(), 'runner');
    const policy = {
      version: 1,
      profiles: ['software-dev' as const],
      measurements: [identity.measurement],
      resultTermMs: 60_000,
    };
    const context = { jobId: JOB, nowMs: Date.now(), policy, roots: rootSetWithDevRoot(rootPem) };
    expect((await appraiseEvidence(bundle, { ...context, ownChallenge: clientChallenge(nonce) })).ok).toBe(true);
    // A holder's challenge sent as a nonce gets no evidence that the holder takes: anybody could then have keys released.
    expect((await appraiseEvidence(bundle, { ...context, ownChallenge: nonce })).ok).toBe(false);
    expect(bundle.hpkePublicKey).toBe(identity.hpkePublicKey);
    expect((await appraiseEvidence(bundle, { ...context, ownChallenge: systemRandom(32) })).ok).toBe(false);
  });

  it('refuses what is not part of its interface', async () => {
    expect(await codeOf(get('/v1/nothing'))).toEqual([404, 'NOT_FOUND']);
    expect(await codeOf(get('/v1/attestation?nonce=AAAA&jobId=0x1'))).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await codeOf(post('/v1/jobs', '{'))).toEqual([400, 'MALFORMED_REQUEST']);
    expect(await codeOf(post('/v1/jobs', '{"jobId":"x"}'))).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await codeOf(post('/v1/jobs', JSON.stringify({ jobId: JOB })))).toEqual([404, 'NOT_FOUND']);
    expect(await codeOf(post(`/v1/jobs/${JOB}/questions`, '{}'))).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await codeOf(get(`/v1/jobs/${JOB}/questions/${JOB}`))).toEqual([404, 'QUESTION_UNKNOWN']);
    const large = post('/v1/jobs', 'x'.repeat(LIMITS.httpBodyBytes + 1));
    expect(await codeOf(large)).toEqual([413, 'REQUEST_TOO_LARGE']);
  });

  it('refuses a real network before it touches anything', async () => {
    const unused = join(directory, 'unused');
    const config = readConfig({ ...environment, SUI_NETWORK: 'testnet', DATA_DIR: unused });
    const refusal = startRunner(config, () => undefined);
    await expect(refusal).rejects.toMatchObject({ code: 'STAND_IN_FORBIDDEN' });
    expect(readdirSync(directory)).not.toContain('unused');
  });

  it('has its folders for itself, also the one for indexes alone', async () => {
    const settings = { ...environment, DATA_DIR: join(directory, 'other') };
    const start = (changes: Record<string, string>) =>
      startRunner(readConfig({ ...settings, ...changes }), () => undefined);
    const refusal = (setting: string) => ({ code: 'CONFIG_INVALID', details: { setting } });
    await expect(start({ DATA_DIR: environment['DATA_DIR']! })).rejects.toMatchObject(refusal('DATA_DIR'));
    const INDEX_DIR = join(environment['DATA_DIR']!, 'index');
    await expect(start({ INDEX_DIR })).rejects.toMatchObject(refusal('INDEX_DIR'));
    // What it had locked by then is free again.
    const other = await start({});
    await other.stop();
  });

  it('divides what is private in batches, unless it is told otherwise', () => {
    const weekMs = 604_800_000;
    expect(readConfig(environment).epochBatch).toEqual({
      leastReceipts: 16,
      longestWaitMs: weekMs,
      mostReceipts: 1_000,
    });
    const told = readConfig({ ...environment, EPOCH_LEAST_RECEIPTS: '2', EPOCH_LONGEST_WAIT_MS: '0' });
    expect(told.epochBatch).toMatchObject({ leastReceipts: 2, longestWaitMs: 0 });
  });

  it('keeps indexes in a folder of its data unless it is told otherwise', () => {
    const { dataDir, indexFiles } = readConfig(environment);
    expect(indexFiles).toEqual({ folder: join(dataDir, 'index'), maxBytes: 2 ** 30 });
    const told = readConfig({ ...environment, INDEX_DIR: '/var/cache/usufruct', INDEX_MAX_MB: '2' });
    expect(told.indexFiles).toEqual({ folder: '/var/cache/usufruct', maxBytes: 2 ** 21 });
    expect(readConfig({ ...environment, INDEX_MAX_MB: '0' }).indexFiles).toBeNull();
  });

  it.each([
    ['PORT', undefined],
    ['PORT', ''],
    ['PORT', '70000'],
    ['DATA_DIR', ''],
    ['HOLDER_URLS', 'ftp://x'],
    ['HOLDER_URLS', ''],
    ['SEAL_KEY_SERVERS', 'deadbeef'],
    // What it names is good, but there are none for the local chain.
    ['SEAL_KEY_SERVERS', JSON.stringify([{ objectId: JOB }])],
    ['AGGREGATOR_URL', 'nothing'],
    ['AGGREGATOR_URL', 'http://127.0.0.1:9,nothing'],
    ['RUNNER_WALLET_SECRET', 'deadbeef'],
    ['INDEX_MAX_MB', '-1'],
    ['INDEX_DIR', ''],
    ['EPOCH_LEAST_RECEIPTS', '0'],
    ['EPOCH_LEAST_RECEIPTS', '1001'],
    ['EPOCH_LONGEST_WAIT_MS', '-1'],
    ['EPOCH_LONGEST_WAIT_MS', 'soon'],
    ['TEE_DEVICE', 'tdx'],
    ['TEE_DEVICE', undefined],
    ['TEE_GPU', 'nvidia'],
    ['DSTACK_SOCKET', '/var/run/dstack.sock'],
    ['TEE_POLICY_FILE', '/etc/usufruct/policy.json'],
    ['TEE_DEV_DIR', undefined],
  ])('refuses a bad %s (%s) by name and without its value', (setting, value) => {
    expect.assertions(2);
    try {
      readConfig({ ...environment, [setting]: value });
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', details: { setting } });
      expect(String(error instanceof UsufructError && error.message)).not.toContain('deadbeef');
    }
  });
});
