import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { failedChecks, type NvidiaPolicy } from '@usufruct/attestation';
import { DevNras, SoftwareGpu } from '@usufruct/attestation-dev';
import { fromBase64, fromHex, fromUtf8, systemRandom, toHex } from '@usufruct/kernel';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { join } from 'node:path';
import {
  appraised,
  context,
  directory,
  gpus,
  NVIDIA_POLICY,
  nvidia,
  servers,
  tools,
  useHardware,
} from '../../../../../test/support/hardware-world.js';
import { bytes, NOW_MS, pki, POLICY as TDX_POLICY } from '../../../../../test/support/tdx-world.js';
import { ExtensibleTd, startDstackAgent } from '../../../../../test/support/tee-guest.js';
import { dstackClient } from './dstack-client.js';
import { dstackCpu } from './dstack.js';
import { openHardwareDevice, type HardwareOptions } from './hardware-device.js';
import { nrasTokens, type NrasOptions } from './nras.js';
import { nvidiaTools } from './nvidia.js';

useHardware();

interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    nonce: string;
    arch: string;
    claims_version: string;
    evidence_list: { evidence: string; certificate: string }[];
  };
}
interface Answer {
  readonly status: number;
  readonly text: string | Uint8Array;
}

let service: Server;
let url: string;
let nras: DevNras;
let asked: Asked[] = [];
/** In place of the real answer. */
let answer: ((request: Asked) => Promise<Answer>) | null = null;

const good = async ({ body }: Asked): Promise<Answer> => {
  const devices = gpus.map(({ identity }, i) => ({ name: `GPU-${i}`, serial: identity.leaf.serial }));
  return {
    status: 200,
    text: JSON.stringify(await nras.token({ nonce: fromHex(body.nonce), nowMs: NOW_MS, devices })),
  };
};

beforeAll(async () => {
  nras = await DevNras.create();
  service = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const one = {
        path: request.url ?? '',
        headers: request.headers,
        body: JSON.parse(Buffer.concat(parts).toString()),
      };
      asked.push(one);
      void (answer ?? good)(one).then(({ status, text }) => response.writeHead(status).end(text));
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const address = service.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
});
afterAll(() => void service.close());

const sourceOf = (options: Partial<NrasOptions> = {}) => nrasTokens({ url, fetch: globalThis.fetch, ...options });
const evidenceOver = (nonce: Uint8Array) => Promise.all(gpus.map((gpu) => gpu.evidence(nonce)));
const policyWith = (token: NvidiaPolicy['token']): NvidiaPolicy =>
  token === undefined ? NVIDIA_POLICY : { ...NVIDIA_POLICY, token };

let sockets = 0;
async function deviceWith(token: NvidiaPolicy['token'], options: Partial<HardwareOptions> = {}) {
  const socket = join(directory, `nras-${(sockets += 1)}.sock`);
  servers.push(await startDstackAgent({ socket, td: new ExtensibleTd(pki) }));
  return openHardwareDevice({
    cpu: await dstackCpu(dstackClient(socket)),
    gpus: nvidiaTools(tools),
    policy: { tdx: TDX_POLICY, nvidia: policyWith(token) },
    imageDigest: bytes(5),
    random: systemRandom,
    tokens: sourceOf(),
    ...options,
  });
}
const judged = async (token: NvidiaPolicy['token'], options: Partial<HardwareOptions> = {}) =>
  appraised(await deviceWith(token, options), {
    teePolicy: { tdx: TDX_POLICY, nvidia: policyWith(token) },
    endorsements: { ...context.endorsements, ...nras.endorsements },
  });

describe("a token of NVIDIA's attestation service", () => {
  it('comes with the bundle where the policy requires it, and the real verifier judges it good', async () => {
    asked = [];
    const { bundle, result } = await judged('required', { tokens: sourceOf({ serviceKey: 'nvapi-test' }) });
    expect(failedChecks(result)).toEqual([]);
    expect(result.ok).toBe(true);
    expect(result.checks.filter(({ name, status }) => name.startsWith('EAT_') && status === 'passed')).toHaveLength(10);
    const { path, headers, body } = asked[0]!;
    expect(path).toBe('/v4/attest/gpu');
    expect(headers.authorization).toBe('Bearer nvapi-test');
    expect(body).toMatchObject({ arch: 'HOPPER', claims_version: '3.0' });
    // The very evidence of the bundle, apart: exchange and chain.
    const sent = body.evidence_list.map(({ evidence, certificate }) =>
      toHex(Uint8Array.from([...fromBase64(evidence), ...fromBase64(certificate)])),
    );
    expect(sent).toEqual(bundle.gpuEvidence?.map((text) => toHex(fromBase64(text))));
    expect(fromUtf8(fromBase64(body.evidence_list[0]!.certificate))).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
    expect(toHex(fromBase64(body.evidence_list[0]!.evidence).subarray(4, 36))).toBe(body.nonce);
  });

  it('is refused by the verifier when it is another machine’s, or nobody asked', async () => {
    const other = await SoftwareGpu.create(nvidia, NOW_MS);
    answer = async ({ body }) => {
      const devices = [{ name: 'GPU-0', serial: other.identity.leaf.serial }];
      return {
        status: 200,
        text: JSON.stringify(await nras.token({ nonce: fromHex(body.nonce), nowMs: NOW_MS, devices })),
      };
    };
    const { result } = await judged('required');
    answer = null;
    expect(failedChecks(result)).toEqual(['EAT_DEVICES']);
    const { bundle } = await judged(undefined, { tokens: undefined as never });
    expect(bundle).not.toHaveProperty('gpuToken');
  });

  it('that is welcome is left out while the service does not answer, and somebody is told', async () => {
    const told: unknown[] = [];
    answer = () => Promise.resolve({ status: 503, text: '' });
    const { bundle, result } = await judged('if-shown', { onTokenMissing: (error) => told.push(error) });
    answer = null;
    expect(bundle).not.toHaveProperty('gpuToken');
    expect(result.ok).toBe(true);
    expect(told).toEqual([expect.objectContaining({ code: 'UPSTREAM_UNAVAILABLE' })]);
    expect((await judged('if-shown')).bundle).toHaveProperty('gpuToken');
  });

  it('that is required is never left out: no evidence leaves without it', async () => {
    answer = () => Promise.resolve({ status: 503, text: '' });
    const refusal = expect(judged('required')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await refusal;
    answer = null;
  });

  it('needs the service where the policy requires it, and the policy where there is a service', async () => {
    const setting = { code: 'CONFIG_INVALID', details: { setting: 'NRAS_URL' } };
    await expect(deviceWith('required', { tokens: undefined as never })).rejects.toMatchObject(setting);
    await expect(deviceWith(undefined)).rejects.toMatchObject(setting);
  });

  const NONCE = bytes(4);
  it.each<[string, string, (request: Asked) => Promise<Answer>]>([
    ['no JSON', 'UPSTREAM_INVALID', () => Promise.resolve({ status: 200, text: '<html>' })],
    ['no text', 'UPSTREAM_INVALID', () => Promise.resolve({ status: 200, text: Uint8Array.of(0xff) })],
    ['another shape', 'UPSTREAM_INVALID', () => Promise.resolve({ status: 200, text: '{"token":"x"}' })],
    ['what is too large', 'UPSTREAM_INVALID', () => Promise.resolve({ status: 200, text: ' '.repeat(2_000_000) })],
    ['a refusal', 'UPSTREAM_INVALID', () => Promise.resolve({ status: 401, text: '{}' })],
    ['a redirection', 'UPSTREAM_INVALID', () => Promise.resolve({ status: 302, text: '' })],
    ['too many requests', 'UPSTREAM_UNAVAILABLE', () => Promise.resolve({ status: 429, text: '' })],
    ['a failure', 'UPSTREAM_UNAVAILABLE', () => Promise.resolve({ status: 500, text: '' })],
    [
      'a token about another nonce',
      'UPSTREAM_INVALID',
      (request) => good({ ...request, body: { ...request.body, nonce: '09'.repeat(32) } }),
    ],
    [
      'one device’s token about another nonce',
      'UPSTREAM_INVALID',
      async ({ body }) => {
        const devices = [{ name: 'GPU-0', serial: gpus[0]!.identity.leaf.serial }];
        const nonce = fromHex(body.nonce);
        const token = await nras.token({ nonce, nowMs: NOW_MS, devices, device: { eat_nonce: '09'.repeat(32) } });
        return { status: 200, text: JSON.stringify(token) };
      },
    ],
  ])('is not passed on when the service answers with %s', async (_name, code, other) => {
    answer = other;
    try {
      const token = sourceOf().token(NONCE, await evidenceOver(NONCE));
      await expect(token).rejects.toMatchObject({ code });
      await token.catch((error: Error) => expect(JSON.stringify(error)).not.toContain(toHex(NONCE)));
    } finally {
      answer = null;
    }
  });

  it('is not waited for longer than the limit, and a service that is not there is unavailable', async () => {
    answer = () => new Promise(() => undefined);
    const unavailable = (reason: string) => ({ code: 'UPSTREAM_UNAVAILABLE', details: { reason } });
    const evidence = await evidenceOver(NONCE);
    await expect(sourceOf({ timeoutMs: 100 }).token(NONCE, evidence)).rejects.toMatchObject(
      unavailable('no answer after 100 ms'),
    );
    answer = null;
    await expect(sourceOf({ url: 'http://127.0.0.1:9' }).token(NONCE, evidence)).rejects.toMatchObject(
      unavailable('it cannot be reached'),
    );
  });

  it('is not asked for about what is no GPU evidence', async () => {
    asked = [];
    await expect(sourceOf().token(NONCE, [bytes(1, 100)])).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
    expect(asked).toEqual([]);
  });
});
