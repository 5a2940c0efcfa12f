import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { appraiseEvidence, failedChecks, makeEvidence } from '@usufruct/attestation';
import { SoftwareTd } from '@usufruct/attestation-dev';
import type { TimestampMs } from '@usufruct/kernel';
import type { EvidenceBundle } from '@usufruct/protocol';
import { chainPolicyOf, EVENTS, JOB, KEYS, NOW_MS, OWN, POLICY } from '../../../test/support/tdx-world.js';
import { PAGES, VendorServer, VendorWorld } from '../../../test/support/vendor-server.js';
import { EndorsementCache } from './cache.js';
import { OfflineFolder } from './offline-folder.js';
import type { EndorsementSource } from './source.js';

let world: VendorWorld;
let server: VendorServer;
let folder: string;
let bundle: EvidenceBundle;
let measurement: string;
let nowMs: number;

beforeAll(async () => {
  world = await VendorWorld.make(NOW_MS);
  const device = await SoftwareTd.create({ pki: world.tdx, policy: POLICY, events: EVENTS });
  bundle = await makeEvidence(device, { challenges: [OWN], jobId: JOB, keys: KEYS });
  measurement = await device.measurement();
}, 60_000);
afterAll(() => world.clean());
beforeEach(async () => {
  nowMs = NOW_MS;
  folder = world.folder();
  server = await VendorServer.start();
  await world.publish(server);
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
    policy: chainPolicyOf(measurement),
    teePolicy: { tdx: POLICY },
    endorsements,
    roots: world.roots,
  });
  return { ok: result.ok, failed: failedChecks(result), missing };
};

it('evidence in, endorsements out: what was fetched makes the appraisal pass, and again without the network', async () => {
  expect(await appraise(cacheOf())).toEqual({ ok: true, failed: [], missing: [] });
  const asked = server.asked.length;
  server.down = true;
  expect(await appraise(cacheOf())).toEqual({ ok: true, failed: [], missing: [] });
  expect(await appraise(new OfflineFolder({ folder, roots: world.roots, clock }))).toMatchObject({
    ok: true,
    missing: [],
  });
  expect(server.asked.length).toBe(asked);
});

it('says what is missing and why, and the appraisal fails by the check that needs it', async () => {
  server.pages.delete(PAGES.pckCrl);
  const { ok, failed, missing } = await appraise(cacheOf());
  expect({ ok, failed }).toEqual({ ok: false, failed: ['CRL_PARSE'] });
  expect(missing).toEqual([{ name: 'intel/pck-platform.crl', reason: expect.stringMatching(/status 404$/) }]);
});

it('an offline folder whose documents are past their signed validity gives none of them', async () => {
  await appraise(cacheOf());
  nowMs = NOW_MS + 29 * 86_400_000 + 1;
  const { endorsements, missing } = await new OfflineFolder({ folder, roots: world.roots, clock }).endorsementsFor(
    bundle,
  );
  expect(Object.keys(endorsements).toSorted()).toEqual(['intel/pck-platform.crl', 'intel/root-ca.crl']);
  expect(missing.map(({ reason }) => reason)).toEqual([
    'its signed validity ended 2026-06-30 00:00 UTC',
    'its signed validity ended 2026-06-30 00:00 UTC',
  ]);
});
