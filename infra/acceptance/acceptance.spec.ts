import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { makeEvidence, verifierRoots, type TeeDevice } from '@usufruct/attestation';
import { generateSigningKey } from '@usufruct/crypto';
import { fixedEndorsements } from '@usufruct/endorsements';
import { asTimestampMs, fromBase64, systemRandom, toBase64, type JobId } from '@usufruct/kernel';
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
import { tryMainJob } from './main-job.js';
import { run } from './main.js';
import { missingHardware, thisMachine, type Machine } from './preflight.js';
import { readSignedReport, signReport, tableOf, type Report } from './report.js';
import { tryEvidence, type TrialOptions } from './trials.js';

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

describe('the trials', () => {
  let device: TeeDevice;
  let options: TrialOptions;
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
      question: 'why?',
      options: ['--wallet', 'w'],
    });
  const saying = (answer: object, end = '') => `console.log(${JSON.stringify(JSON.stringify(answer))}); ${end}`;
  const checks = [{ name: 'SIGNATURE', status: 'passed' }];

  it('is asked by the command line that users use', async () => {
    const expected = ['--json', '--wallet', 'w', 'ask', 'why?', '--job', JOB];
    const code = `if (JSON.stringify(process.argv.slice(2)) !== ${JSON.stringify(JSON.stringify(expected))}) process.exit(9);`;
    expect(await jobOf('good', `${code} ${saying({ standIn: false, checks })}`)).toEqual({
      name: 'MAIN_JOB',
      ok: true,
      detail: '',
    });
  });

  it.each([
    ['refused', 'process.exit(3)', 'status 3'],
    ['silent', '', 'no answer'],
    ['standing in', saying({ standIn: true, checks }), 'stand-in'],
    ['with a bad receipt', saying({ standIn: false, checks: [{ name: 'PRICE', status: 'failed' }] }), 'PRICE'],
  ])('does not count when it is %s', async (name, code, detail) => {
    const trial = await jobOf(name.replaceAll(' ', '-'), code);
    expect(trial).toMatchObject({ ok: false, detail: expect.stringContaining(detail) });
  });
});

describe('a report', () => {
  const report: Report = {
    v: 1,
    atMs: NOW_MS,
    software: 'a commit',
    machine: { kernel: '6.16', cpu: 'a processor' },
    measurement: 'ab'.repeat(48),
    gpus: [{ model: 'GH100', driverVersion: '550.144.03', vbiosVersion: '96.00.5E.00.01' }],
    trials: [{ name: 'EVIDENCE_HOLDS', ok: true, detail: '' }],
    checks: [{ name: 'SIGNATURE', status: 'passed', detail: '' }],
    evidence: { nonce: toBase64(bytes(1)), bundle: {} },
    accepted: true,
  };

  it('says who signed it, and is nothing once a byte is changed', async () => {
    const key = generateSigningKey(systemRandom);
    const signed = await signReport(report, key);
    const read = await readSignedReport(JSON.stringify(signed));
    expect(read).toEqual({ report, publicKey: toBase64(key.publicKey) });
    const altered = fromBase64(signed.report);
    altered[10] = altered[10]! ^ 1;
    expect(await readSignedReport(JSON.stringify({ ...signed, report: toBase64(altered) }))).toBeNull();
    expect(await readSignedReport('{}')).toBeNull();
    const other = await signReport(report, generateSigningKey(systemRandom));
    expect(await readSignedReport(JSON.stringify({ ...signed, publicKey: other.publicKey }))).toBeNull();
  });

  it('can be read by a person', () => {
    const table = tableOf(report);
    expect(table).toContain('  ok   EVIDENCE_HOLDS');
    expect(table.trimEnd().endsWith('ACCEPTED')).toBe(true);
    expect(tableOf({ ...report, accepted: false })).toContain('NOT ACCEPTED');
  });
});
