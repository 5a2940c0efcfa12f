import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { evidenceFile, makeEvidence } from '@usufruct/attestation';
import {
  createDevPki,
  loadDevPki,
  DEV_GPU,
  devTdxEndorsements,
  pemOf,
  SoftwareGpu,
  SoftwareTd,
  SoftwareTee,
  DEV_PLATFORM,
} from '@usufruct/attestation-dev';
import { toBase64, toHex } from '@usufruct/kernel';
import type { EvidenceBundle } from '@usufruct/protocol';
import { EVENTS, JOB, KEYS, OWN, POLICY, SECOND } from '../../../test/support/tdx-world.js';
import { PAGES, VendorServer, VendorWorld } from '../../../test/support/vendor-server.js';
import { EXIT } from './exit-codes.js';
import { main } from './main.js';

const NOW_MS = Date.now();
const NVIDIA_POLICY = {
  version: 1,
  count: 1,
  models: ['GH100'],
  driverVersions: [DEV_GPU.driverVersion],
  vbiosVersions: ['96.00.5E.00.01'],
  revocation: 'if-known' as const,
};

let world: VendorWorld;
let server: VendorServer;
let home: string;
let roots: string[];
let gpu: SoftwareGpu;
let bundle: EvidenceBundle;
let measurement: string;

const path = (name: string) => join(home, name);
const write = (name: string, value: unknown): string => {
  writeFileSync(path(name), JSON.stringify(value));
  return path(name);
};
async function run(...args: string[]) {
  const said = { out: '', err: '' };
  const code = await main(['node', 'usufruct', '--home', home, ...args], {
    environment: {},
    homeDirectory: home,
    streams: { out: (text) => (said.out += text), err: (text) => (said.err += text), bars: null, ask: null },
  });
  return { code, ...said };
}
const urls = () => [
  '--intel-url',
  server.urls.intel,
  '--amd-url',
  server.urls.amd,
  '--nvidia-rim-url',
  server.urls.nvidiaRim,
  '--nvidia-ocsp-url',
  server.urls.nvidiaOcsp,
];
const fetchAll = () => run('attest', 'endorsements', 'fetch', '--evidence', path('bundle.json'), ...urls(), ...roots);
const policyOf = (changes: object = {}) => ({
  format: 'usufruct/appraisal-policy/v1',
  policy: { version: 1, profiles: ['tdx+nv'], measurements: [measurement], resultTermMs: 600_000 },
  teePolicy: { tdx: POLICY, nvidia: NVIDIA_POLICY },
  ...changes,
});
const verify = (...args: string[]) =>
  run('attest', 'verify', path('bundle.json'), '--policy', path('policy.json'), '--offline', ...roots, ...args);

beforeAll(async () => {
  world = await VendorWorld.make(NOW_MS);
  server = await VendorServer.start();
  gpu = await SoftwareGpu.create(world.nvidia, NOW_MS);
  const gpus = { policy: NVIDIA_POLICY, devices: [gpu] };
  const device = await SoftwareTd.create({ pki: world.tdx, policy: POLICY, events: EVENTS, gpus });
  bundle = await makeEvidence(device, { challenges: [OWN, SECOND], jobId: JOB, keys: KEYS });
  measurement = await device.measurement();
}, 60_000);
afterAll(async () => {
  await server.stop();
  world.clean();
});
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'usufruct-attest-'));
  server.down = false;
  await world.publish(server);
  await world.answerAbout(server, world.ocspPairs(gpu.identity));
  const pems = {
    intel: pemOf(world.tdx.root),
    amd: pemOf(world.snp.ark),
    nvidiaDevice: pemOf(world.nvidia.deviceRoot),
    nvidiaRim: pemOf(world.nvidia.rim.at(-1)!),
  };
  roots = Object.entries(pems).flatMap(([name, pem]) => {
    writeFileSync(path(`${name}.pem`), pem);
    return ['--dev-root', `${name}=${path(`${name}.pem`)}`];
  });
  write('bundle.json', evidenceFile(bundle, toBase64(OWN)));
  write('policy.json', policyOf());
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('usufruct attest endorsements', () => {
  it('fetches what evidence needs, says so, and shows what is kept', async () => {
    const fetched = await fetchAll();
    expect(fetched).toMatchObject({ code: EXIT.ok, err: '' });
    expect(fetched.out).toMatch(new RegExp(`^fetched {4}intel/tdx/tcb-${DEV_PLATFORM.fmspc}\\.json$`, 'm'));
    const status = await run('attest', 'endorsements', 'status', ...roots);
    expect(status.code).toBe(EXIT.ok);
    const [head, ...rows] = status.out.trimEnd().split('\n');
    expect(head).toMatch(/^item +source +signed until +fresh until +state$/);
    expect(rows).toHaveLength(12);
    for (const row of rows) expect(row).toMatch(/http:\/\/127\.0\.0\.1:\d+ +20\d\d-.* UTC +20\d\d-.* UTC +fresh$/);
  });

  it('fetches what is named, of each vendor', async () => {
    const chip = toHex(new Uint8Array(64).fill(0xc1));
    const amd = ['--product', 'Milan', '--chip-id', chip, '--tcb', '4.0.24.219'];
    const named = ['--fmspc', DEV_PLATFORM.fmspc, ...amd, '--rim', PAGES.vbiosRim.slice('/rim/'.length)];
    const { code, out } = await run('--json', 'attest', 'endorsements', 'fetch', ...named, ...urls(), ...roots);
    const { endorsements, error } = JSON.parse(out) as {
      endorsements: { outcome: string }[];
      error: { details: object };
    };
    // The software platform has one CA only, as its list shows: the other's is not served.
    expect(code).toBe(EXIT.unavailable);
    expect(error.details).toEqual({ parts: 'intel/pck-processor.crl' });
    expect(endorsements.filter(({ outcome }) => outcome === 'fetched')).toHaveLength(8);
    const again = await run('--json', 'attest', 'endorsements', 'fetch', ...urls(), ...roots);
    expect(again.code).toBe(EXIT.ok);
    expect(JSON.parse(again.out).endorsements).toHaveLength(8);
  });

  it('fails where something that is kept cannot be used, and says which', async () => {
    await fetchAll();
    writeFileSync(path('endorsements/intel/root-ca.crl'), 'nothing');
    const status = await run('--json', 'attest', 'endorsements', 'status', ...roots);
    expect(status.code).toBe(EXIT.refused);
    expect(JSON.parse(status.out)).toMatchObject({
      ok: false,
      error: { code: 'ENDORSEMENTS_STALE', details: { endorsements: 'intel/root-ca.crl' } },
    });
  });

  it('fails where something that is kept is past its signed validity', async () => {
    await fetchAll();
    const qeIdentity = { issueDate: '2026-01-01T00:00:00Z', nextUpdate: '2026-01-31T00:00:00Z' };
    const tdx = await devTdxEndorsements({ pki: world.tdx, nowMs: NOW_MS, qeIdentity });
    rmSync(path('endorsements/index.json'));
    writeFileSync(path('endorsements/intel/tdx/qe-identity.json'), tdx['intel/tdx/qe-identity.json']!);
    const { code, out } = await run('attest', 'endorsements', 'status', ...roots);
    expect(code).toBe(EXIT.refused);
    expect(out).toMatch(
      /qe-identity\.json +put there by hand +2026-01-31 00:00:00 UTC +- +expired: its signed validity ended/,
    );
    expect(out).toMatch(/tcb-\w+\.json +put there by hand .* +stale$/m);
  });

  it.each([
    [['--fmspc', 'xyz'], 'fmspc'],
    [['--product', 'Rome'], 'product'],
    [['--product', 'Milan', '--chip-id', 'c1'], 'chip-id'],
    [['--product', 'Milan', '--chip-id', 'c1'.repeat(64), '--tcb', '1.2.3'], 'tcb'],
    [['--rim', '../../escape'], 'rim'],
    [['--intel-url', 'ftp://x'], 'intel'],
    [['--dev-root', 'nobody=x'], 'dev-root'],
  ])('%j is refused', async (args, field) => {
    const { code, out } = await run('--json', 'attest', 'endorsements', 'fetch', ...args);
    expect(code).toBe(EXIT.usage);
    expect(JSON.parse(out).error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field } });
  });
});

describe('usufruct attest verify', () => {
  it('prints every check with its meaning, apart by what it is about, and ends with 0', async () => {
    await fetchAll();
    const { code, out, err } = await verify();
    expect({ code, err }).toEqual({ code: EXIT.ok, err: '' });
    const titles = out.split('\n').filter((line) => /^[A-Z].*[a-z]$/.test(line) && !/^(Evidence|GOOD)/.test(line));
    expect(titles).toEqual([
      'Policy and clock',
      'Processor, and the code that it runs',
      'Graphics processors',
      'Bond between them, the keys, the challenge and the job',
      'What was proven',
    ]);
    expect(out).toMatch(/^ {2}ok {3}MEASUREMENT +The code that runs, and the conditions/m);
    expect(out).toMatch(/^ {2}ok {3}GPU_BINDING +[A-Z]/m);
    expect(out).toContain('DEV ONLY');
    expect(out).toMatch(
      /^GOOD, DEV ONLY, FRESHNESS UNPROVEN, until 20\d\d-.*: \d+ passed, 0 failed, \d+ not checked$/m,
    );
  });

  it('says that freshness is unproven where only the file names the challenge, and whose the job is', async () => {
    await fetchAll();
    const judged = async (...args: string[]) => {
      const files = [path('bundle.json'), '--policy', path('policy.json'), '--offline', ...roots];
      const { code, out } = await run('--json', 'attest', 'verify', ...files, ...args);
      const { freshness, jobFrom } = JSON.parse(out);
      return { code, freshness, jobFrom };
    };
    expect(await judged()).toEqual({ code: EXIT.ok, freshness: 'unproven', jobFrom: 'evidence' });
    expect(await judged('--challenge', toHex(OWN), '--job', JOB)).toEqual({
      code: EXIT.ok,
      freshness: 'own-challenge',
      jobFrom: 'argument',
    });
    const { out } = await verify('--challenge', toHex(OWN), '--job', JOB);
    expect(out).not.toMatch(/UNPROVEN|--job/);
    expect(out).toMatch(/^GOOD, DEV ONLY, until 20/m);
    const help = await run('attest', 'verify', '--help');
    expect(help.out).toContain('Without --challenge, 0 does not say that the evidence is fresh');
  });

  it('gives the same as one JSON object with the names of EAT', async () => {
    await fetchAll();
    const { code, out } = await run(
      '--json',
      'attest',
      'verify',
      path('bundle.json'),
      '--policy',
      path('policy.json'),
      '--offline',
      ...roots,
    );
    expect(code).toBe(EXIT.ok);
    const said = JSON.parse(out);
    expect(said).toMatchObject({ ok: true, profile: 'tdx+nv', standIn: true, missing: [] });
    expect(said.eat).toMatchObject({
      eat_profile: expect.any(String),
      submods: { cpu: { dbgstat: 'disabled-since-boot' }, 'gpu-0': {} },
    });
    expect(said.checks).toContainEqual({ name: 'NONCE', status: 'passed', detail: '' });
  });

  it('says in the one JSON object what failed, and ends with 3', async () => {
    await fetchAll();
    write('policy.json', policyOf({ policy: { ...policyOf().policy, measurements: [] } }));
    const { code, out } = await run(
      '--json',
      'attest',
      'verify',
      path('bundle.json'),
      '--policy',
      path('policy.json'),
      '--offline',
      ...roots,
    );
    expect(code).toBe(EXIT.refused);
    const said = JSON.parse(out);
    expect(said).toMatchObject({
      ok: false,
      error: { code: 'ATTESTATION_REFUSED', details: { checks: 'MEASUREMENT' } },
    });
    expect(said.eat).toMatchObject({ submods: {}, usufruct: { ok: false } });
  });

  it('without endorsements says which are missing, and that the checks on them were not made', async () => {
    const { code, out, err } = await verify();
    expect(code).toBe(EXIT.refused);
    expect(out).toMatch(/^ {2}FAIL COLLATERAL +Does not hold: .*\(intel\/tdx\/tcb-\w+\.json is missing\)$/m);
    expect(out).toMatch(/^ {2}skip REVOKED +Not checked: /m);
    expect(out).toMatch(/^ {2}intel\/root-ca\.crl: it is not in the folder$/m);
    expect(out).toMatch(/^NOT GOOD: /m);
    expect(err).toContain('ATTESTATION_REFUSED');
  });

  it('signs the result where a verifier is to be relied on, and another reads it only from a verifier that it names', async () => {
    await fetchAll();
    writeFileSync(path('verifier.hex'), `${'07'.repeat(32)}\n`);
    const signing = ['--sign', path('verifier.hex'), '--record', path('record.json')];
    // Nobody signs that a recording is fresh.
    const unasked = await verify(...signing);
    expect([unasked.code, unasked.err.includes('--challenge')]).toEqual([EXIT.usage, true]);
    const signed = await verify(...signing, '--challenge', toHex(OWN));
    expect(signed.code).toBe(EXIT.ok);
    const [, verifier = ''] = /Signed by the verifier (\S+);/.exec(signed.out) ?? [];
    writeFileSync(path('verifier.txt'), verifier);
    const shown = await run('attest', 'result', path('record.json'), '--verifier', path('verifier.txt'));
    expect(shown.code).toBe(EXIT.ok);
    expect(shown.out).toContain('DEV ONLY');
    expect(shown.out).toMatch(/^ {2}“[0-9a-f]{64}” “intel\/root-ca\.crl”$/m);
    const others = await run('attest', 'result', path('record.json'), '--verifier', toBase64(OWN));
    expect(others.code).toBe(EXIT.refused);
    expect((await run('attest', 'result', path('record.json'))).code).toBe(EXIT.usage);
    expect((await verify('--sign', path('verifier.hex'))).code).toBe(EXIT.usage);
    // A bad result is recorded, too, and is good for nobody.
    const bad = await verify(
      '--challenge',
      '09'.repeat(32),
      '--sign',
      path('verifier.hex'),
      '--record',
      path('bad.json'),
    );
    expect(bad.code).toBe(EXIT.refused);
    expect((await run('attest', 'result', path('bad.json'), '--verifier', verifier)).code).toBe(EXIT.refused);
  });

  it('under the pinned roots nothing of a software machine is good', async () => {
    await fetchAll();
    const { code, out } = await run(
      'attest',
      'verify',
      path('bundle.json'),
      '--policy',
      path('policy.json'),
      '--offline',
    );
    expect(code).toBe(EXIT.refused);
    expect(out).not.toContain('DEV ONLY');
    const generated = await verify('--challenge', '09'.repeat(32));
    expect(generated.code).toBe(EXIT.refused);
    expect(generated.out).toContain('DEV ONLY');
  });

  it('judges at another time, by what was held then, and asks nobody', async () => {
    await fetchAll();
    const asked = server.asked.length;
    const later = new Date(NOW_MS + 40 * 86_400_000).toISOString();
    const { code, out } = await verify('--at', later);
    expect(code).toBe(EXIT.refused);
    expect(out).toContain('its signed validity ended');
    expect((await verify('--at', new Date(NOW_MS).toISOString())).code).toBe(EXIT.ok);
    expect(server.asked.length).toBe(asked);
  });

  it.each<[string, () => string[], string[]]>([
    ['another challenge', () => ['--challenge', '09'.repeat(32)], ['NONCE']],
    ['another job', () => ['--job', `0x${'09'.repeat(32)}`], ['BINDING', 'GPU_BINDING']],
  ])('%s fails its check', async (_what, args, checks) => {
    await fetchAll();
    const { code, out } = await run(
      '--json',
      'attest',
      'verify',
      path('bundle.json'),
      '--policy',
      path('policy.json'),
      '--offline',
      ...roots,
      ...args(),
    );
    expect(code).toBe(EXIT.refused);
    expect(JSON.parse(out).error.details.checks.split(', ').toSorted()).toEqual(checks);
  });

  it('a bundle alone is judged with the challenge that is given with it, and not without', async () => {
    await fetchAll();
    write('bundle.json', bundle);
    expect((await verify('--challenge', toHex(OWN))).code).toBe(EXIT.ok);
    expect((await verify('--challenge', toBase64(OWN))).code).toBe(EXIT.ok);
    const { code, err } = await verify();
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('challenge');
  });

  it.each<[string, () => void]>([
    ['no JSON', () => writeFileSync(path('bundle.json'), '{"format":')],
    ['another format', () => void write('bundle.json', { format: 'usufruct/evidence/v2' })],
    ['a field too many', () => void write('bundle.json', { ...evidenceFile(bundle, toBase64(OWN)), more: 1 })],
    ['evidence that is too large', () => void write('bundle.json', { ...bundle, cpuEvidence: 'A'.repeat(200_000) })],
    ['a file that is too large', () => writeFileSync(path('bundle.json'), ' '.repeat(5_000_000))],
    ['no policy', () => writeFileSync(path('policy.json'), '{}')],
    ['a policy with a field that nobody knows', () => void write('policy.json', policyOf({ lax: true }))],
    [
      'a policy that allows what is no choice',
      () => void write('policy.json', policyOf({ teePolicy: { tdx: { ...POLICY, tcbStatuses: ['Revoked'] } } })),
    ],
    ['a time that is none', () => void 0],
  ])('%s is refused as input', async (what, spoil) => {
    spoil();
    const { code } = await verify(...(what.startsWith('a time') ? ['--at', 'yesterday'] : []));
    expect(code).toBe(EXIT.usage);
  });

  it('the software TEE needs its own root, and nothing else', async () => {
    const files = await createDevPki(NOW_MS);
    writeFileSync(path('tee.pem'), files.root);
    const tee = await SoftwareTee.create({ pki: await loadDevPki(files), measurement: 'ab'.repeat(48) });
    write(
      'bundle.json',
      evidenceFile(await makeEvidence(tee, { challenges: [OWN], jobId: JOB, keys: KEYS }), toBase64(OWN)),
    );
    const policy = { version: 1, profiles: ['software-dev'], measurements: ['ab'.repeat(48)], resultTermMs: 600_000 };
    write('policy.json', { format: 'usufruct/appraisal-policy/v1', policy });
    const args = ['attest', 'verify', path('bundle.json'), '--policy', path('policy.json')];
    expect((await run(...args)).code).toBe(EXIT.refused);
    const { code, out } = await run(...args, '--dev-root', `software-dev=${path('tee.pem')}`);
    expect(code).toBe(EXIT.ok);
    expect(out).toContain('DEV ONLY');
  });
});
