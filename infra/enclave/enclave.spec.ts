import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { composeHash, isCanonicalCompose } from '@usufruct/attestation';
import { fromUtf8 } from '@usufruct/kernel';
import { POLICY } from '../../test/support/tdx-world.js';
import { readConfig } from '../../apps/enclave-runner/src/boot/config.js';
import { makeAppCompose, type AppComposeRequest } from './app-compose.js';
import { writeRuntimeTree } from './runtime-tree.js';
import { FIXED_SETTINGS, HOST_SETTINGS, MEASURED_SETTINGS } from './settings.js';

const LOCKED = join(import.meta.dirname, 'locked.mjs');
/** Each would let the host run its own code in the guest, or choose what evidence is made of. */
const DANGEROUS = [
  'NODE_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'LD_PRELOAD',
  'PATH',
  'NVIDIA_SMI',
  'NVATTEST',
  'DOCKER_HOST',
];

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const request = (changes: Partial<AppComposeRequest> = {}): AppComposeRequest => ({
  name: 'usufruct-runner',
  image: `registry.example/usufruct/runner@${DIGEST}`,
  policy: { tdx: POLICY },
  settings: { SUI_NETWORK: 'mainnet', HOLDER_URLS: 'https://a.example,https://b.example' },
  secrets: ['RUNNER_WALLET_SECRET'],
  ...changes,
});

describe('the app compose of a runner', () => {
  it('is computed twice the same, whatever the order of the settings, and is what a guest hashes', async () => {
    const { file, hash } = await makeAppCompose(request());
    const settings = Object.fromEntries(Object.entries(request().settings).toReversed());
    expect((await makeAppCompose(request({ settings }))).hash).toBe(hash);
    expect(await composeHash(file)).toBe(hash);
    expect(isCanonicalCompose(file)).toBe(true);
  });

  it('measures image, policy and settings, names secrets, and holds no value of theirs', async () => {
    const { hash, file } = await makeAppCompose(request());
    const changed = [
      { image: `registry.example/usufruct/runner@sha256:${'cd'.repeat(32)}` },
      { policy: { tdx: { ...POLICY, version: 2 } } },
      { settings: { ...request().settings, SUI_NETWORK: 'testnet' } },
      { secrets: [] },
    ];
    for (const changes of changed) expect((await makeAppCompose(request(changes))).hash).not.toBe(hash);
    const compose = JSON.parse(fromUtf8(file));
    const { services, configs } = JSON.parse(compose.docker_compose_file);
    expect(compose.allowed_envs).toEqual(['RUNNER_WALLET_SECRET']);
    expect(services.runner.environment).toMatchObject({
      IMAGE_DIGEST: DIGEST,
      TEE_DEVICE: 'dstack',
      TEE_GPU: 'none',
      RUNNER_WALLET_SECRET: '${RUNNER_WALLET_SECRET}',
    });
    expect(JSON.parse(configs['tee-policy'].content)).toEqual({ tdx: POLICY });
    // What a process that dies has in memory goes to no disk.
    expect(services.runner).toMatchObject({ read_only: true, ulimits: { core: 0 } });
  });

  it.each([
    ['a tag', { image: 'registry.example/usufruct/runner:latest' }],
    ['no digest', { image: 'registry.example/usufruct/runner' }],
    ['a setting that decides about evidence', { settings: { TEE_DEVICE: 'software' } }],
    ['a secret that decides about evidence', { secrets: ['TEE_POLICY_FILE'] }],
    ['a setting that is none', { settings: { 'a b': 'x' } }],
    ['a secret written into a file that is public', { settings: { RUNNER_WALLET_SECRET: 'suiprivkey1' } }],
    ['a setting that is to be measured, as a secret', { secrets: ['HOLDER_URLS'] }],
    ...DANGEROUS.map((name) => [`${name} from the host`, { secrets: [name] }] as const),
    ...DANGEROUS.map((name) => [`${name} as a setting`, { settings: { [name]: 'x' } }] as const),
  ])('refuses %s', async (_name, changes) => {
    await expect(makeAppCompose(request(changes))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('leaves no value of a setting to be filled in by the host', async () => {
    const { file } = await makeAppCompose(request({ settings: { SUI_NETWORK: '${NODE_OPTIONS}' } }));
    const { services } = JSON.parse(JSON.parse(fromUtf8(file)).docker_compose_file);
    expect(services.runner.environment.SUI_NETWORK).toBe('$${NODE_OPTIONS}');
  });
});

describe('the settings of the runner', () => {
  /** What is read of an environment; with everything given, so that nothing is refused before it is read. */
  const readBy = (environment: Record<string, string>): string[] => {
    const seen = new Set<string>();
    readConfig(
      new Proxy(environment, {
        get: (target, name) => {
          if (typeof name === 'string') seen.add(name);
          return Reflect.get(target, name);
        },
      }),
    );
    return [...seen];
  };
  const common = {
    PORT: '8080',
    DATA_DIR: '/data',
    HOLDER_URLS: 'https://a.example',
    AGGREGATOR_URL: 'https://b.example',
    RUNNER_WALLET_SECRET: 'suiprivkey1',
  };

  it('are measured, the host’s on purpose, or fixed: each on one list, and no list has another', () => {
    const read = readBy({ ...common, TEE_DEVICE: 'dstack', TEE_POLICY_FILE: '/p.json' });
    const lists = [...MEASURED_SETTINGS, ...HOST_SETTINGS, ...FIXED_SETTINGS];
    expect(read.toSorted()).toEqual(lists.toSorted());
    expect(new Set(lists).size).toBe(lists.length);
  });

  it('that the host gives are secrets and nothing else', () => {
    expect(HOST_SETTINGS.every((name) => /_(SECRET|KEY)$/.test(name))).toBe(true);
  });
});

describe('what npm has installed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'locked-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const entry = { version: '1.0.0', integrity: 'sha512-aaaa' };
  const judged = (installed: object, lock: object = { 'node_modules/a': entry }) => {
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: lock }));
    writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }));
    const { status, stderr } = spawnSync(process.execPath, [LOCKED, folder], { encoding: 'utf8' });
    return { status, said: stderr.trim() };
  };

  it.each([
    ['good', { 'node_modules/a': entry, 'node_modules/ours': { link: true }, 'libs/ours': {} }, 0, ''],
    ['more than locked', { 'node_modules/a': entry, 'node_modules/b': entry }, 1, 'node_modules/b: not in the lock'],
    [
      'other bytes',
      { 'node_modules/a': { ...entry, integrity: 'sha512-bbbb' } },
      1,
      'node_modules/a: another integrity',
    ],
    ['bytes that nobody pinned', { 'node_modules/a': { version: '1.0.0' } }, 1, 'node_modules/a: another integrity'],
    ['another version', { 'node_modules/a': { ...entry, version: '1.0.1' } }, 1, 'node_modules/a: another version'],
    ['nothing', {}, 1, 'nothing is installed'],
  ])('is seen to be %s', (_name, installed, status, said) => {
    expect(judged(installed)).toEqual({ status, said });
  });
});

describe('what the runner’s image holds', () => {
  let folder: string;
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  const manifest = (...names: string[]): string =>
    JSON.stringify({ dependencies: Object.fromEntries(names.map((name) => [name, '1'])) });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tree-'));
    write('apps/enclave-runner/package.json', manifest('@usufruct/kernel', '@usufruct/attestation-dev', 'zod'));
    write('apps/enclave-runner/dist/main.js', 'run');
    write('apps/enclave-runner/dist/main.js.map', '{}');
    write('apps/enclave-runner/dist/.build.json', '{"at":"now"}');
    write('apps/enclave-runner/src/main.ts', 'source');
    for (const [name, dependencies] of [
      ['kernel', ['deep']],
      ['attestation-dev', []],
      ['testing', []],
    ] as const) {
      write(`libs/${name}/package.json`, manifest(...dependencies));
      write(`libs/${name}/dist/index.js`, name);
    }
    for (const name of ['zod', 'deep', 'jest']) {
      write(`node_modules/${name}/package.json`, manifest());
      write(`node_modules/${name}/index.js`, name);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is what is reached from the runner, without software TEE, sources, tests and stamps; twice the same', async () => {
    const [first, second] = [join(folder, 'out-1'), join(folder, 'out-2')];
    const tree = await writeRuntimeTree(folder, first, 1_700_000_000);
    expect(tree.packages).toEqual(['@usufruct/kernel', 'deep', 'zod']);
    expect((await writeRuntimeTree(folder, second, 1_700_000_000)).digest).toBe(tree.digest);
    const files = readdirSync(first, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files).toHaveLength(tree.files);
    expect(files.map(({ name }) => name).filter((name) => /\.(map|ts)$|build\.json/.test(name))).toEqual([]);
    expect(statSync(join(first, 'apps/enclave-runner/dist/main.js')).mtimeMs).toBe(1_700_000_000_000);
  });

  it('has another digest for another content', async () => {
    const before = await writeRuntimeTree(folder, join(folder, 'out-3'), 1);
    write('libs/kernel/dist/index.js', 'changed');
    expect((await writeRuntimeTree(folder, join(folder, 'out-4'), 1)).digest).not.toBe(before.digest);
  });
});
