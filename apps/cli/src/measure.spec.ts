import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { replayEventLog, tdxMeasurement } from '@usufruct/attestation';
import { createNitroPki, SoftwareNitro } from '@usufruct/attestation-dev';
import { toHex } from '@usufruct/kernel';
import { configIdOf, ExtensibleTd } from '../../../test/support/tee-guest.js';
import { bytes, NOW_MS, pki, POLICY, startTdxWorld } from '../../../test/support/tdx-world.js';
import { measure } from './commands/attest/measure.js';

const COMPOSE = '{"docker_compose_file":"services: {}","name":"usufruct"}';
const EVENTS = [
  { name: 'compose-hash', payload: 'ab'.repeat(32) },
  { name: 'system-ready', payload: '' },
];

let folder: string;
let at: (name: string, content: string | Uint8Array) => string;
let td: ExtensibleTd;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'measure-'));
  at = (name, content) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  await startTdxWorld();
  td = new ExtensibleTd(pki, { report: { mrConfigId: configIdOf(COMPOSE) } });
  for (const { name, payload } of EVENTS) await td.extend(name, Buffer.from(payload, 'hex'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('usufruct attest measure', () => {
  it('computes before the guest is started what its quote says afterwards, and the same each time', async () => {
    const before = { compose: at('app-compose.json', COMPOSE), events: at('events.json', JSON.stringify(EVENTS)) };
    const predicted = await measure(before);
    expect(await measure(before)).toEqual(predicted);
    const quoted = await measure({ quote: at('quote.bin', await td.quote(bytes(1, 64))) });
    expect(predicted['mrConfigId']).toBe(quoted['mrConfigId']);
    expect(predicted['rtmr3']).toBe(quoted['quotedRtmr3']);
    expect(predicted['composeIsCanonical']).toBe(true);
    expect(predicted['rtmr3']).toBe(toHex((await replayEventLog(td.log))!));
  });

  it('computes the measurement that a DAO approves, from a quote or from registers that were computed elsewhere', async () => {
    const policy = at('policy.json', JSON.stringify({ tdx: POLICY }));
    const quoted = await measure({ quote: at('quote.bin', await td.quote(bytes(2, 64))), policy });
    const { mrSeam, mrTd, rtmr0, rtmr1, rtmr2 } = quoted as Record<string, string>;
    const identity = at('identity.json', JSON.stringify({ mrSeam, mrTd, rtmr0, rtmr1, rtmr2 }));
    const computed = await measure({ identity, compose: at('app-compose.json', COMPOSE), policy });
    expect(computed['measurement']).toBe(quoted['measurement']);
    expect(computed['profile']).toBe('tdx');
    const zeros = '00'.repeat(48);
    const registers = { mrSeam: mrSeam!, mrTd: mrTd!, rtmr0: rtmr0!, rtmr1: rtmr1!, rtmr2: rtmr2! };
    const rest = { mrConfigId: toHex(configIdOf(COMPOSE)), mrOwner: zeros, mrOwnerConfig: zeros, mrServiceTd: zeros };
    expect(computed['measurement']).toBe(await tdxMeasurement({ ...registers, ...rest }, POLICY));
  });

  const registersWith = async (mrConfigId: string) => {
    const { mrSeam, mrTd, rtmr0, rtmr1, rtmr2 } = (await measure({
      quote: at('quote.bin', await td.quote(bytes(3, 64))),
    })) as Record<string, string>;
    return at('registers.json', JSON.stringify({ mrSeam, mrTd, rtmr0, rtmr1, rtmr2, mrConfigId }));
  };
  const ZERO = '00'.repeat(48);
  const hash = createHash('sha256').update(COMPOSE).digest('hex');
  const policyRequiring = (payload: string) => ({
    ...POLICY,
    requiredEvents: [{ name: 'compose-hash', payload }],
  });

  it('prints no measurement that pins no application, and says what would satisfy', async () => {
    const identity = await registersWith(ZERO);
    const policy = at('policy.json', JSON.stringify({ tdx: POLICY }));
    await expect(measure({ identity, policy })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field: '--policy', expected: expect.stringMatching(/MRCONFIGID.*compose-hash.*--image-alone/) },
    });
    const bare = new ExtensibleTd(pki);
    const quote = at('bare.bin', await bare.quote(bytes(1, 64)));
    await expect(measure({ quote, policy })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('prints one where the image alone is meant, or the policy requires the compose hash', async () => {
    const identity = await registersWith(ZERO);
    const policy = at('policy.json', JSON.stringify({ tdx: POLICY }));
    const image = await measure({ identity, policy, imageAlone: true });
    expect(image).toMatchObject({
      application: 'the image alone',
      measurement: expect.stringMatching(/^[0-9a-f]{96}$/),
    });
    const required = at('required.json', JSON.stringify({ tdx: policyRequiring(hash) }));
    const measured = await measure({ identity, policy: required });
    expect(measured['application']).toBe('the event compose-hash');
    expect(measured['measurement']).not.toBe(image['measurement']);
  });

  it.each([
    ['another application than the compose file', 'cd'.repeat(32)],
    ['no hash', ''],
  ])('refuses a required compose hash of %s', async (_name, payload) => {
    const policy = at('required.json', JSON.stringify({ tdx: policyRequiring(payload) }));
    const quote = at('older.bin', await new ExtensibleTd(pki).quote(bytes(1, 64)));
    const compose = at('app-compose.json', COMPOSE);
    await expect(measure({ quote, compose, policy })).rejects.toMatchObject({ details: { field: 'compose-hash' } });
  });

  it('computes the measurement of an enclave of AWS from what its build printed', async () => {
    const policy = { version: 1, maxAgeMs: 600_000, registers: [] };
    const [PCR0, PCR1, PCR2] = ['e0', 'e1', 'e2'].map((byte) => byte.repeat(48)) as [string, string, string];
    const built = (registers: object) =>
      at('eif.json', JSON.stringify({ Measurements: { HashAlgorithm: 'Sha384 { ... }', ...registers } }));
    const file = at('nitro.json', JSON.stringify({ nitro: policy }));
    const measured = await measure({ pcrs: built({ PCR0, PCR1, PCR2 }), policy: file });
    const device = new SoftwareNitro({ pki: await createNitroPki({ nowMs: NOW_MS }), policy, nowMs: () => NOW_MS });
    expect(measured).toMatchObject({ profile: 'nitro', measurement: await device.measurement() });
    await expect(measure({ pcrs: built({ PCR0: ZERO, PCR1, PCR2 }), policy: file })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('says that a compose is not in the form that dstack’s tools deploy', async () => {
    const pretty = at('pretty.json', JSON.stringify(JSON.parse(COMPOSE), null, 2));
    expect(await measure({ compose: pretty })).toMatchObject({ composeIsCanonical: false });
  });

  it.each([
    ['nothing to measure', () => ({}), 'INVALID_ARGUMENT'],
    ['a file that is not there', () => ({ compose: join(folder, 'none.json') }), 'NOT_FOUND'],
    ['a quote that is none', () => ({ quote: at('no-quote.bin', bytes(1, 100)) }), 'INVALID_ARGUMENT'],
    [
      'a policy without registers',
      () => ({ policy: at('p.json', JSON.stringify({ tdx: POLICY })) }),
      'INVALID_ARGUMENT',
    ],
    ['registers without a configuration', () => ({ identity: at('i.json', '{}') }), 'INVALID_ARGUMENT'],
    ['events that are none', () => ({ events: at('e.json', '[{"name":"","payload":"zz"}]') }), 'INVALID_ARGUMENT'],
  ])('refuses %s', async (_name, options, code) => {
    await expect(measure(options())).rejects.toMatchObject({ code });
  });
});
