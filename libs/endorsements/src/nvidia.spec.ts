import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import {
  appraiseEvidence,
  failedChecks,
  makeEvidence,
  NVIDIA_ENDORSEMENTS,
  type NvidiaPolicy,
} from '@usufruct/attestation';
import { DEV_GPU, DevNras, SoftwareGpu, SoftwareTd } from '@usufruct/attestation-dev';
import type { TimestampMs } from '@usufruct/kernel';
import { combineChallenges, gpuNonce, type EvidenceBundle } from '@usufruct/protocol';
import { EVENTS, JOB, KEYS, NOW_MS, OWN, POLICY } from '../../../test/support/tdx-world.js';
import { VendorServer, VendorWorld } from '../../../test/support/vendor-server.js';
import { EndorsementCache } from './cache.js';
import { OfflineFolder } from './offline-folder.js';
import type { EndorsementSource } from './source.js';

const NVIDIA_POLICY: NvidiaPolicy = {
  version: 1,
  count: 1,
  models: ['GH100'],
  driverVersions: [DEV_GPU.driverVersion],
  vbiosVersions: ['96.00.5E.00.01'],
  revocation: 'required',
  token: 'required',
};

let world: VendorWorld;
let server: VendorServer;
let nras: DevNras;
let gpu: SoftwareGpu;
let bundle: EvidenceBundle;
let measurement: string;
let folder: string;
let nowMs: number;

beforeAll(async () => {
  [world, nras] = await Promise.all([VendorWorld.make(NOW_MS), DevNras.create()]);
  gpu = await SoftwareGpu.create(world.nvidia, NOW_MS);
  const device = await SoftwareTd.create({
    pki: world.tdx,
    policy: POLICY,
    events: EVENTS,
    gpus: { policy: NVIDIA_POLICY, devices: [gpu] },
  });
  const nonce = gpuNonce(combineChallenges([OWN]), KEYS);
  const devices = [{ name: 'GPU-0', serial: gpu.identity.leaf.serial }];
  const gpuToken = await nras.token({ nonce, devices, nowMs: NOW_MS });
  bundle = { ...(await makeEvidence(device, { challenges: [OWN], jobId: JOB, keys: KEYS })), gpuToken };
  measurement = await device.measurement();
}, 60_000);
afterAll(() => world.clean());
beforeEach(async () => {
  nowMs = NOW_MS;
  folder = world.folder();
  server = await VendorServer.start();
  await world.publish(server);
  await world.answerAbout(server, world.ocspPairs(gpu.identity));
  server.pages.set('/keys', { body: nras.endorsements[NVIDIA_ENDORSEMENTS.nrasKeys]! });
});
afterEach(() => server.stop());

const clock = { nowMs: () => nowMs as TimestampMs };
const cacheOf = () => new EndorsementCache({ folder, roots: world.roots, clock, urls: server.urls });
const appraise = async (source: EndorsementSource) => {
  const { endorsements, missing } = await source.endorsementsFor(bundle);
  const result = await appraiseEvidence(bundle, {
    ownChallenge: OWN,
    jobId: JOB,
    nowMs,
    policy: { version: 1, profiles: ['tdx+nv'], measurements: [measurement], resultTermMs: 600_000 },
    teePolicy: { tdx: POLICY, nvidia: NVIDIA_POLICY },
    endorsements,
    roots: world.roots,
  });
  return { ok: result.ok, failed: failedChecks(result), missing };
};

it("NVIDIA's manifests, its answers about every certificate and its keys make a strict appraisal pass", async () => {
  expect(await appraise(cacheOf())).toEqual({ ok: true, failed: [], missing: [] });
  // Three certificates of the device and three above the manifests' root, each once.
  expect(server.times('/ocsp')).toBe(6);
  expect(await appraise(cacheOf())).toMatchObject({ ok: true });
  expect(server.times('/ocsp')).toBe(6);
  expect(await appraise(new OfflineFolder({ folder, roots: world.roots, clock }))).toMatchObject({ ok: true });
});

it('bad news is kept and refuses the device', async () => {
  const { bootRom } = gpu.identity;
  await world.answerAbout(server, [[bootRom, world.nvidia.provisioner]], { status: 'revoked' });
  expect(await appraise(cacheOf())).toEqual({ ok: false, failed: ['OCSP_STATUS'], missing: [] });
  expect(await appraise(new OfflineFolder({ folder, roots: world.roots, clock }))).toMatchObject({ ok: false });
});

it('a revocation is remembered when its answer has ended and nobody gives another', async () => {
  const { bootRom } = gpu.identity;
  await world.answerAbout(server, [[bootRom, world.nvidia.provisioner]], { status: 'revoked', untilDays: 0.5 });
  const cache = cacheOf();
  await appraise(cache);
  server.down = true;
  nowMs = NOW_MS + 0.75 * 86_400_000;
  for (const source of [cache, cacheOf(), new OfflineFolder({ folder, roots: world.roots, clock })]) {
    expect((await appraise(source)).failed).toEqual(expect.arrayContaining(['OCSP_STALE', 'OCSP_STATUS']));
  }
});

it.each([
  ['about another certificate', { certificate: 'deviceRoot' }, /another certificate/],
  ['signed by somebody else', { signer: 'identityCa' }, /not signed/],
  ['that is stale', { fromDays: -9, untilDays: -1 }, /signed validity ended/],
  ['without an end', { untilDays: null }, /no OCSP response/],
] as const)('an answer %s is not kept', async (_what, changes, reason) => {
  const named = Object.entries(changes).map(([name, value]) => [
    name,
    typeof value === 'string' ? world.nvidia[value as 'identityCa'] : value,
  ]);
  const asked = [gpu.identity.bootRom, world.nvidia.provisioner] as const;
  await world.answerAbout(server, [asked], Object.fromEntries(named));
  const { ok, failed, missing } = await appraise(cacheOf());
  expect({ ok, failed }).toEqual({ ok: false, failed: ['OCSP_PARSE'] });
  expect(missing).toEqual([
    { name: expect.stringMatching(/^nvidia\/ocsp\/[0-9a-f]{64}\.der$/), reason: expect.stringMatching(reason) },
  ]);
});

it('keys that nobody signs are used while they are fresh, and not a moment longer', async () => {
  const cache = cacheOf();
  await appraise(cache);
  const offline = new OfflineFolder({ folder, roots: world.roots, clock });
  server.down = true;
  nowMs = NOW_MS + 3_600_000 - 1;
  expect(await appraise(cache)).toMatchObject({ ok: true });
  nowMs += 1;
  for (const source of [cache, offline]) {
    const { failed, missing } = await appraise(source);
    expect(failed).toContain('EAT_KEY');
    expect(missing.map(({ name }) => name)).toEqual(['nvidia/nras/jwks.json']);
    expect(missing[0]?.reason).toContain('nobody signs it');
  }
  expect((await offline.status()).find(({ name }) => name.endsWith('jwks.json'))).toMatchObject({
    state: 'expired',
    signedUntilMs: null,
  });
});
