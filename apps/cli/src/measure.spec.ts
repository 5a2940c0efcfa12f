import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { replayEventLog, tdxMeasurement } from '@usufruct/attestation';
import { toHex } from '@usufruct/kernel';
import { configIdOf, ExtensibleTd } from '../../../test/support/tee-guest.js';
import { bytes, pki, POLICY, startTdxWorld } from '../../../test/support/tdx-world.js';
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
