import { describe, expect, it } from '@jest/globals';
import { failedChecks, productionRoots } from '@usufruct/attestation';
import { systemRandom, toHex } from '@usufruct/kernel';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  appraised,
  directory,
  IMAGE,
  NVIDIA_POLICY,
  servers,
  tools,
  useHardware,
} from '../../../../../test/support/hardware-world.js';
import { bytes, pki, POLICY as TDX_POLICY } from '../../../../../test/support/tdx-world.js';
import {
  configIdOf,
  ExtensibleTd,
  startDstackAgent,
  type AgentOptions,
} from '../../../../../test/support/tee-guest.js';
import { dstackClient } from './dstack-client.js';
import { dstackCpu } from './dstack.js';
import { openHardwareDevice } from './hardware-device.js';
import { nvidiaTools } from './nvidia.js';

useHardware();

const COMPOSE = '{"docker_compose_file":"services: {}","manifest_version":2,"name":"usufruct"}';
let sockets = 0;
const agentOf = async (options: Omit<AgentOptions, 'socket'>): Promise<string> => {
  const socket = join(directory, `dstack-${(sockets += 1)}.sock`);
  servers.push(await startDstackAgent({ socket, ...options }));
  return socket;
};
const dstackTd = () => new ExtensibleTd(pki, { report: { mrConfigId: configIdOf(COMPOSE) } });
const openDstack = async (socket: string, isGpu = true) =>
  openHardwareDevice({
    cpu: await dstackCpu(dstackClient(socket)),
    policy: isGpu ? { tdx: TDX_POLICY, nvidia: NVIDIA_POLICY } : { tdx: TDX_POLICY },
    imageDigest: IMAGE,
    random: systemRandom,
    ...(isGpu ? { gpus: nvidiaTools(tools) } : {}),
  });

describe("dstack's guest agent and NVIDIA's tools", () => {
  it('make evidence that the real verifier accepts under test roots, and refuses under the vendors’', async () => {
    const td = dstackTd();
    await td.extend('compose-hash', bytes(9));
    const device = await openDstack(await agentOf({ td, appCompose: COMPOSE }));
    const { bundle, result } = await appraised(device);
    expect(failedChecks(result)).toEqual([]);
    expect(result.ok).toBe(true);
    expect(result.claims?.gpu?.devices).toHaveLength(2);
    expect(result.checks).toContainEqual(expect.objectContaining({ name: 'CONFIG_ID', status: 'passed' }));
    expect(bundle.eventLog.map(({ name }) => name)).toEqual([
      'compose-hash',
      'image-digest',
      'gpu-policy-hash',
      'gpu-attestation',
    ]);
    const production = await appraised(device, { roots: productionRoots() });
    expect(failedChecks(production.result)).toEqual(
      expect.arrayContaining(['ROOT_NOT_PINNED', 'GPU_ROOT', 'RIM_ROOT']),
    );
  });

  it('measure once a boot: a runner that starts again adds nothing', async () => {
    const td = dstackTd();
    const socket = await agentOf({ td, appCompose: COMPOSE });
    await openDstack(socket);
    const { result } = await appraised(await openDstack(socket));
    expect(td.log).toHaveLength(3);
    expect(result.ok).toBe(true);
  });

  it('refuse a guest that measured another image or another set of GPUs already', async () => {
    const td = dstackTd();
    await td.extend('image-digest', bytes(6));
    await expect(openDstack(await agentOf({ td, appCompose: COMPOSE }))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { event: 'image-digest' },
    });
  });

  it('show events that others measure meanwhile', async () => {
    const td = dstackTd();
    const device = await openDstack(await agentOf({ td, appCompose: COMPOSE }));
    await td.extend('somebody-else', bytes(1));
    const { bundle, result } = await appraised(device);
    expect(bundle.eventLog.at(-1)?.name).toBe('somebody-else');
    expect(result.ok).toBe(true);
  });

  it('are refused where the agent’s log is not all that was measured', async () => {
    const td = dstackTd();
    await td.extend('hidden', bytes(1));
    const answer: AgentOptions['answer'] = (path) => {
      if (path !== '/GetQuote') return undefined;
      return { status: 200, text: JSON.stringify({ quote: toHex(quote), event_log: '[]' }) };
    };
    const quote = await td.quote(bytes(0, 64));
    const cpu = await dstackCpu(dstackClient(await agentOf({ td, appCompose: COMPOSE, answer })));
    const opened = openHardwareDevice({ cpu, policy: { tdx: TDX_POLICY }, random: systemRandom });
    await expect(opened).rejects.toMatchObject({ code: 'UPSTREAM_INVALID', details: { upstream: 'TEE device' } });
  });

  it('do without an app compose where MRCONFIGID is none', async () => {
    const device = await openDstack(await agentOf({ td: new ExtensibleTd(pki) }), false);
    const { bundle, result } = await appraised(device);
    expect(device.profile).toBe('tdx');
    expect(bundle).not.toHaveProperty('appCompose');
    expect(result.ok).toBe(true);
  });

  it('are refused where the agent does not measure what it was asked to', async () => {
    const answer: AgentOptions['answer'] = (path) =>
      path === '/EmitEvent' ? { status: 400, text: '{"error":"disabled"}' } : undefined;
    const socket = await agentOf({ td: dstackTd(), appCompose: COMPOSE, answer });
    await expect(openDstack(socket)).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      details: { method: 'EmitEvent' },
    });
  });

  const log = (event: object) => ({
    status: 200,
    text: JSON.stringify({ quote: 'aa', event_log: JSON.stringify([event]) }),
  });
  const event = { imr: 3, event_type: 0x08000001, digest: '', event: 'x', event_payload: '' };
  it.each([
    ['an error with status 200', { status: 200, text: '{"error":"no TDX"}' }],
    ['another status', { status: 500, text: '{}' }],
    ['no JSON', { status: 200, text: 'quote' }],
    ['no quote', { status: 200, text: '{"event_log":"[]"}' }],
    ['a quote that is none', log(event)],
    ['events hashed as JSON (version 2)', log({ ...event, version: 2 })],
    ['an event of another type', log({ ...event, event_type: 1 })],
    ['a log that is none', { status: 200, text: '{"quote":"aa","event_log":"{}"}' }],
    ['more than anybody may read', { status: 200, text: ' '.repeat(9 * 1024 * 1024) }],
  ])('refuse %s', async (_name, text) => {
    const socket = await agentOf({ td: dstackTd(), answer: () => text });
    await expect(dstackCpu(dstackClient(socket))).rejects.toMatchObject({ code: expect.stringMatching(/^UPSTREAM_/) });
  });

  it('refuse an agent that is not there or does not answer', async () => {
    const unavailable = { code: 'UPSTREAM_UNAVAILABLE' };
    await expect(dstackCpu(dstackClient(join(directory, 'none.sock')))).rejects.toMatchObject(unavailable);
    const silent = createServer((client) => client.on('error', () => undefined));
    servers.push(silent);
    const socket = join(directory, 'silent.sock');
    await new Promise<void>((resolve) => silent.listen(socket, resolve));
    await expect(dstackCpu(dstackClient(socket, 100))).rejects.toMatchObject(unavailable);
  });
});
