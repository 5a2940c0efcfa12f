import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  makeEvidence,
  productionRoots,
  verifierRoots,
  zTeePolicy,
  type RootSet,
  type TeeDevice,
} from '@usufruct/attestation';
import { generateSigningKey } from '@usufruct/crypto';
import { fixedEndorsements } from '@usufruct/endorsements';
import {
  asTimestampMs,
  fromBase64,
  systemRandom,
  toBase64,
  toHex32,
  type JobId,
  type RunnerId,
} from '@usufruct/kernel';
import { clientChallenge } from '@usufruct/protocol';
import { dstackClient } from '../../apps/enclave-runner/src/attest/devices/dstack-client.js';
import { dstackCpu } from '../../apps/enclave-runner/src/attest/devices/dstack.js';
import { openHardwareDevice } from '../../apps/enclave-runner/src/attest/devices/hardware-device.js';
import { nvidiaTools } from '../../apps/enclave-runner/src/attest/devices/nvidia.js';
import {
  context,
  directory,
  hardwareRootsJson,
  NVIDIA_POLICY,
  servers,
  tools,
  useHardware,
} from '../../test/support/hardware-world.js';
import { bytes, JOB, KEYS, NOW_MS, pki, POLICY } from '../../test/support/tdx-world.js';
import { executable, ExtensibleTd, startDstackAgent } from '../../test/support/tee-guest.js';
import { judgeAgain } from './judge-again.js';
import { tryMainJob } from './main-job.js';
import { run } from './main.js';
import { missingHardware, thisMachine, type Machine } from './preflight.js';
import { encodeEndorsements, readSignedReport, signReport, tableOf, type Report } from './report.js';
import { tryEvidence, type TrialOptions } from './trials.js';

const ALL_TRIALS = [
  'EVIDENCE_HOLDS',
  'NO_STAND_IN',
  'CPU_AND_GPU',
  'FRESH',
  'SAME_KEYS',
  'REPLAY_REFUSED',
  'QUOTE_FLIP_REFUSED',
  'EVENT_REFUSED',
  'GPU_FLIP_REFUSED',
  'MAIN_JOB',
];
const RUNNER = toHex32<RunnerId>(bytes(0x52));
const TEE_POLICY = { tdx: POLICY, nvidia: NVIDIA_POLICY };

describe('a machine', () => {
  const guest: Machine = {
    exists: (path) => ['/var/run/dstack.sock', '/dev/nvidia0', '/usr/bin/nvattest'].includes(path),
    read: () => 'processor : 0\nflags\t\t: fpu tdx_guest avx512f\n',
  };

  it('with everything lacks nothing, and without any of it says what', () => {
    expect(missingHardware(guest, '/usr/bin/nvattest')).toEqual([]);
    expect(missingHardware({ ...guest, read: () => 'flags : fpu' }, '/usr/bin/nvattest')).toHaveLength(1);
    expect(missingHardware({ ...guest, exists: () => false }, '/usr/bin/nvattest')).toHaveLength(3);
  });

  it('that is none is refused, whatever else is asked, and nothing is written', async () => {
    const isGuest = missingHardware(thisMachine, '/usr/bin/nvattest').length === 0;
    if (isGuest) return; // A TDX guest runs the tests: the command itself is what to run there.
    const out = join(directory, 'report.json');
    const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      expect(await run(['--runner', 'http://127.0.0.1:9', '--out', out])).toBe(3);
      expect(write.mock.calls.flat().join('')).toContain('a TDX guest');
    } finally {
      write.mockRestore();
    }
    expect(existsSync(out)).toBe(false);
  });
});

useHardware();

let options: TrialOptions;

describe('the trials', () => {
  let device: TeeDevice;
  beforeAll(async () => {
    const td = new ExtensibleTd(pki);
    const socket = join(directory, 'acceptance.sock');
    servers.push(await startDstackAgent({ socket, td }));
    device = await openHardwareDevice({
      cpu: await dstackCpu(dstackClient(socket)),
      gpus: nvidiaTools(tools),
      policy: TEE_POLICY,
      imageDigest: bytes(5),
      random: systemRandom,
    });
    options = {
      attester: {
        evidence: (nonce) => makeEvidence(device, { challenges: [clientChallenge(nonce)], jobId: JOB, keys: KEYS }),
      },
      desk: {
        roots: verifierRoots({ hardware: hardwareRootsJson() }),
        endorsements: fixedEndorsements(context.endorsements ?? {}),
      },
      teePolicy: TEE_POLICY,
      measurement: await device.measurement(),
      jobId: JOB as JobId,
      clock: { nowMs: () => asTimestampMs(NOW_MS) },
      random: systemRandom,
    };
  });

  it('all come as they must on evidence in real formats, but for its roots, which are generated', async () => {
    const { trials, checks, claims } = await tryEvidence(options);
    expect(trials.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['NO_STAND_IN']);
    expect([...trials.map(({ name }) => name), 'MAIN_JOB']).toEqual(ALL_TRIALS);
    expect(checks.length).toBeGreaterThan(60);
    expect(claims?.gpu?.devices).toHaveLength(2);
  });

  it('show a runner that plays back old evidence', async () => {
    const old = await options.attester.evidence(bytes(1));
    const { trials } = await tryEvidence({ ...options, attester: { evidence: () => Promise.resolve(old) } });
    expect(trials.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['EVIDENCE_HOLDS', 'FRESH']),
    );
  });

  it('show another measurement than the DAO approved', async () => {
    const { trials } = await tryEvidence({ ...options, measurement: 'ab'.repeat(48) });
    expect(trials).toContainEqual({ name: 'EVIDENCE_HOLDS', ok: false, detail: 'MEASUREMENT' });
  });
});

describe('the main job', () => {
  const jobOf = (name: string, code: string) =>
    tryMainJob({
      cli: executable(join(directory, name), code),
      job: JOB,
      runnerId: RUNNER,
      question: 'why?',
      options: ['--wallet', 'w'],
    });
  const saying = (answer: object, end = '') => `console.log(${JSON.stringify(JSON.stringify(answer))}); ${end}`;
  const checks = [{ name: 'SIGNATURE', status: 'passed' }];

  it('is asked by the command line that users use', async () => {
    const expected = ['--json', '--wallet', 'w', 'ask', 'why?', '--job', JOB];
    const code = `if (JSON.stringify(process.argv.slice(2)) !== ${JSON.stringify(JSON.stringify(expected))}) process.exit(9);`;
    expect(await jobOf('good', `${code} ${saying({ standIn: false, runnerId: RUNNER, checks })}`)).toEqual({
      name: 'MAIN_JOB',
      ok: true,
      detail: '',
    });
  });

  it.each([
    ['refused', 'process.exit(3)', 'status 3'],
    ['silent', '', 'no answer'],
    ['standing in', saying({ standIn: true, runnerId: RUNNER, checks }), 'stand-in'],
    ['of another machine', saying({ standIn: false, runnerId: JOB, checks }), 'another runner'],
    ['of nobody', saying({ standIn: false, runnerId: null, checks }), 'another runner'],
    [
      'with a bad receipt',
      saying({ standIn: false, runnerId: RUNNER, checks: [{ name: 'PRICE', status: 'failed' }] }),
      'PRICE',
    ],
  ])('does not count when it is %s', async (name, code, detail) => {
    const trial = await jobOf(name.replaceAll(' ', '-'), code);
    expect(trial).toMatchObject({ ok: false, detail: expect.stringContaining(detail) });
  });
});

describe('a report', () => {
  let report: Report;
  let generated: RootSet;
  const key = generateSigningKey(systemRandom);
  const write = (name: string, content: string): string => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const said = async (...args: string[]) => {
    const streams = { out: '', err: '' };
    const out = jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((streams.out += String(text)), true));
    const err = jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((streams.err += String(text)), true));
    try {
      return { code: await run(args), ...streams };
    } finally {
      out.mockRestore();
      err.mockRestore();
    }
  };

  beforeAll(async () => {
    const tried = await tryEvidence(options);
    generated = verifierRoots({ hardware: hardwareRootsJson() });
    report = {
      v: 2,
      atMs: tried.atMs,
      software: 'a commit',
      machine: { kernel: '6.16', cpu: 'a processor' },
      measurement: options.measurement,
      teePolicy: TEE_POLICY,
      endorsements: encodeEndorsements(tried.endorsements),
      gpus: [...(tried.claims?.gpu?.devices ?? [])],
      trials: ALL_TRIALS.map((name) => ({ name, ok: true, detail: '' })),
      checks: [...tried.checks],
      evidence: { nonce: toBase64(tried.nonce), bundle: tried.bundle },
      accepted: true,
    };
  });

  it('is read with the key that the reader trusts, and is nothing once a byte is changed', async () => {
    const signed = await signReport(report, key);
    expect(await readSignedReport(JSON.stringify(signed), key.publicKey)).toEqual(report);
    const altered = fromBase64(signed.report);
    altered[10] = altered[10]! ^ 1;
    const read = (changes: object, trusted = key.publicKey) =>
      readSignedReport(JSON.stringify({ ...signed, ...changes }), trusted);
    expect(await read({ report: toBase64(altered) })).toBeNull();
    expect(await readSignedReport('{}', key.publicKey)).toBeNull();
    const other = generateSigningKey(systemRandom);
    expect(await read({ publicKey: toBase64(other.publicKey) })).toBeNull();
    // Whole and signed, but by a key that the reader did not name.
    expect(await read(await signReport(report, other))).toBeNull();
    expect(await read({}, other.publicKey)).toBeNull();
  });

  it.each<[string, () => object]>([
    ['that says accepted of trials that were not', () => ({ trials: [{ name: 'FRESH', ok: false, detail: 'old' }] })],
    ['that says accepted without the main job', () => ({ trials: report.trials.slice(0, -1) })],
    ['that has one trial twice', () => ({ trials: [...report.trials.slice(0, -1), report.trials[0]!] })],
    ['without its policy', () => ({ teePolicy: undefined })],
    ['without its endorsements', () => ({ endorsements: undefined })],
    ['of the version before', () => ({ v: 1 })],
    ['with a field too many', () => ({ more: 1 })],
    ['without trials', () => ({ trials: [] })],
  ])('%s is none, whoever signed it', async (_name, changes) => {
    const signed = await signReport({ ...report, ...changes() } as Report, key);
    expect(await readSignedReport(JSON.stringify(signed), key.publicKey)).toBeNull();
  });

  it('can be judged again by what is in it, and no other way', async () => {
    expect(await judgeAgain(report, generated)).toEqual([]);
    expect(await judgeAgain(report, productionRoots())).toEqual(expect.arrayContaining(['ROOT_NOT_PINNED']));
    const laxer = { ...TEE_POLICY, tdx: { ...POLICY, requiredEvents: [] } };
    expect(await judgeAgain({ ...report, teePolicy: laxer }, generated)).toEqual(['MEASUREMENT']);
    expect(await judgeAgain({ ...report, endorsements: {} }, generated)).toContain('COLLATERAL');
    const nonce = toBase64(bytes(9));
    expect(await judgeAgain({ ...report, evidence: { ...report.evidence, nonce } }, generated)).toEqual(['NONCE']);
  });

  it('is shown only to who says whose key counts, with what it was judged by', async () => {
    const file = write('report.json', JSON.stringify(await signReport(report, key)));
    const trusted = toBase64(key.publicKey);
    expect(await said('--verify', file)).toMatchObject({ code: 2, out: '' });
    expect(await said('--verify', file, '--trust', 'AAAA')).toMatchObject({ code: 3, out: '' });
    const other = toBase64(generateSigningKey(systemRandom).publicKey);
    expect(await said('--verify', file, '--trust', other)).toMatchObject({ code: 3, out: '' });
    const shown = await said('--verify', file, '--trust', trusted);
    // Its roots are generated, so judged again under the vendors' it is not good, whatever its signer says.
    expect(shown.code).toBe(1);
    expect(shown.out).toContain(`Signed by ${trusted}`);
    expect(shown.out).toMatch(/^Its evidence, judged again .*: NOT GOOD: .*ROOT_NOT_PINNED/m);
    const policyDigest = createHash('sha256')
      .update(JSON.stringify(zTeePolicy.parse(TEE_POLICY)))
      .digest('hex');
    expect(shown.out).toContain(`  ${policyDigest} policy for the hardware\n`);
    const [name, text] = Object.entries(report.endorsements)[0]!;
    expect(shown.out).toContain(`  ${createHash('sha256').update(fromBase64(text)).digest('hex')} ${name}\n`);
    expect((await said('--verify', file, '--trust', write('key.txt', `${trusted}\n`))).out).toBe(shown.out);
  });

  it('can be read by a person', () => {
    const table = tableOf(report);
    expect(table).toContain('  ok   EVIDENCE_HOLDS');
    expect(table.trimEnd().endsWith('ACCEPTED')).toBe(true);
    expect(tableOf({ ...report, accepted: false })).toContain('NOT ACCEPTED');
  });
});
