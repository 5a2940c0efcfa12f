import { describe, expect, it } from '@jest/globals';
import {
  devHardwareRoots,
  failedChecks,
  nsmAttestationRequest,
  productionRoots,
  type NitroPolicy,
} from '@usufruct/attestation';
import {
  createNitroPki,
  encodeCbor,
  pemOf,
  SoftwareNitro,
  type CborInput,
  type NitroPki,
} from '@usufruct/attestation-dev';
import { systemRandom, toHex } from '@usufruct/kernel';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { appraised, directory, servers, useHardware } from '../../../../../test/support/hardware-world.js';
import { bytes, NOW_MS } from '../../../../../test/support/tdx-world.js';
import { executable } from '../../../../../test/support/tee-guest.js';
import { openHardwareDevice } from './hardware-device.js';
import { nitroCpu } from './nitro.js';

useHardware();

const POLICY: NitroPolicy = { version: 1, maxAgeMs: 600_000, registers: [] };
let helpers = 0;

/** A security module behind a program that passes its bytes through, as infra/enclave/nsm-pipe.c does. */
async function moduleThat(answers: (request: Uint8Array) => Promise<Uint8Array>): Promise<string> {
  const path = join(directory, `nsm-${(helpers += 1)}`);
  const server = createServer((client) => {
    client.once('data', (request) => {
      answers(new Uint8Array(request))
        .then((answer) => client.end(answer))
        .catch(() => client.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(`${path}.sock`, resolve));
  servers.push(server);
  return executable(
    path,
    [
      `const client = require('node:net').connect(${JSON.stringify(`${path}.sock`)});`,
      `process.stdin.pipe(client, { end: false });`,
      `client.pipe(process.stdout);`,
    ].join('\n'),
  );
}
const answering = (answer: CborInput) => moduleThat(() => Promise.resolve(encodeCbor(answer)));

describe('an enclave of AWS Nitro', () => {
  let pki: NitroPki;
  const roots = () => devHardwareRoots({ awsNitro: pemOf(pki.root) });
  const enclave = async () => {
    pki = await createNitroPki({ nowMs: NOW_MS });
    const tee = new SoftwareNitro({ pki, policy: POLICY, nowMs: () => NOW_MS });
    const helper = await moduleThat(async (request) => {
      // a1 6b"Attestation" a3 69"user_data" 58 40 …: 26 bytes before the 64 of report data
      const reportData = request.slice(26, 90);
      if (toHex(request) !== toHex(nsmAttestationRequest(reportData, reportData.subarray(32))))
        throw new Error('other');
      const document = await tee.quote(reportData);
      return encodeCbor({ pairs: [['Attestation', { pairs: [['document', document]] }]] });
    });
    return openHardwareDevice({ cpu: nitroCpu({ helper }), policy: { nitro: POLICY }, random: systemRandom });
  };

  it('makes evidence that the real verifier accepts under a test root, and refuses under that of AWS', async () => {
    const device = await enclave();
    const { bundle, result } = await appraised(device, { teePolicy: { nitro: POLICY }, roots: roots() });
    expect(failedChecks(result)).toEqual([]);
    expect(result.ok).toBe(true);
    expect(bundle).toMatchObject({ profile: 'nitro', eventLog: [] });
    expect(result.claims).toMatchObject({ standIn: true, cpu: { tee: 'nitro', debug: false } });
    const production = await appraised(device, { teePolicy: { nitro: POLICY }, roots: productionRoots() });
    expect(failedChecks(production.result)).toEqual(['ROOT_NOT_PINNED']);
  });

  it('is asked as the module’s interface has it', () => {
    // NSM API, Request::Attestation, encoded by hand from RFC 8949.
    const hex = (text: string) => Buffer.from(text).toString('hex');
    expect(toHex(nsmAttestationRequest(bytes(0xaa, 64), bytes(0xbb)))).toBe(
      `a16b${hex('Attestation')}a369${hex('user_data')}5840${'aa'.repeat(64)}65${hex('nonce')}5820${'bb'.repeat(32)}6a${hex('public_key')}f6`,
    );
  });

  it('needs a policy for enclaves, and has no GPUs and no register for events', async () => {
    const cpu = nitroCpu({ helper: '/nothing' });
    const open = (changes: object) =>
      openHardwareDevice({ cpu, policy: { nitro: POLICY }, random: systemRandom, ...changes });
    await expect(open({ policy: { snp: undefined } })).rejects.toMatchObject({
      details: { setting: 'TEE_POLICY_FILE' },
    });
    await expect(open({ imageDigest: bytes(1) })).rejects.toMatchObject({ details: { setting: 'TEE_DEVICE' } });
  });

  it.each<[string, () => Promise<string>, string]>([
    ['an error of the module', () => answering({ pairs: [['Error', 'InvalidOperation']] }), 'UPSTREAM_INVALID'],
    [
      'an error with status 0 and no bytes',
      () => moduleThat(() => Promise.resolve(new Uint8Array())),
      'UPSTREAM_INVALID',
    ],
    [
      'another answer',
      () => answering({ pairs: [['Attestation', { pairs: [['document', 'text']] }]] }),
      'UPSTREAM_INVALID',
    ],
    [
      'two answers',
      () =>
        answering({
          pairs: [
            ['Attestation', null],
            ['Error', 'x'],
          ],
        }),
      'UPSTREAM_INVALID',
    ],
    [
      'more than the module can answer',
      () => moduleThat(() => Promise.resolve(bytes(0, 20_000))),
      'UPSTREAM_UNAVAILABLE',
    ],
    [
      'no module',
      () => Promise.resolve(executable(join(directory, 'nsm-none'), 'process.exit(3)')),
      'UPSTREAM_UNAVAILABLE',
    ],
    ['no helper', () => Promise.resolve(join(directory, 'no-such-helper')), 'UPSTREAM_UNAVAILABLE'],
  ])('is refused with %s', async (_name, helper, code) => {
    await expect(nitroCpu({ helper: await helper() }).quote(bytes(1, 64))).rejects.toMatchObject({ code });
  });
});
