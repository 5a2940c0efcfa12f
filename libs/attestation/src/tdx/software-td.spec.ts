import { beforeAll, describe, expect, it } from '@jest/globals';
import { DEV_PLATFORM, DEV_QE } from '@usufruct/attestation-dev';
import { sha256 } from '@usufruct/crypto';
import { concatBytes, fromHex, utf8 } from '@usufruct/kernel';
import {
  OWN,
  DAY_MS,
  JOB,
  KEYS,
  NOW_MS,
  POLICY,
  bundleOf,
  chainPolicyOf,
  context,
  deviceOf,
  good,
  pki,
  rootsOf,
  startTdxWorld,
} from '../../../../test/support/tdx-world.js';
import { appraiseEvidence, failedChecks } from '../appraise.js';
import { makeEvidence } from '../evidence.js';
import type { TdxPolicy } from '../policy/tdx-policy.js';
import { devHardwareRoots, productionRoots } from '../roots.js';
import { TDX_CHECKS } from './inspect.js';

beforeAll(startTdxWorld);

describe('evidence of a software TD', () => {
  it.each([4, 5] as const)('of version %d passes every check, and is marked as a stand-in', async (version) => {
    const result = await appraiseEvidence(await bundleOf({ version }), context);
    expect(result.checks.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(result.ok).toBe(true);
    for (const name of TDX_CHECKS) {
      expect(result.checks).toContainEqual(expect.objectContaining({ name, status: 'passed' }));
    }
    expect(result.claims).toMatchObject({ profile: 'tdx', debug: false, standIn: true });
    expect(result.claims?.cpu).toMatchObject({ tee: 'tdx', tcbStatuses: ['UpToDate', 'UpToDate', 'UpToDate'] });
    expect(result.claims?.gpu).toBeNull();
    expect(result.claims?.binding).toMatchObject({ jobId: JOB, gpu: false });
  });

  it('is good no longer than its collateral', async () => {
    // TCB info is current for 29 days: a minute before its end, a minute is left.
    const nowMs = NOW_MS + 29 * DAY_MS - 60_000;
    const { ok, expiresAtMs } = await appraiseEvidence(good, { ...context, nowMs });
    expect({ ok, expiresAtMs }).toEqual({ ok: true, expiresAtMs: NOW_MS + 29 * DAY_MS });
  });

  it('shows its app compose in MRCONFIGID', async () => {
    const mrConfigId = concatBytes(Uint8Array.of(1), sha256(utf8('services: {}')), new Uint8Array(15));
    const device = await deviceOf({ report: { mrConfigId } });
    const bundle = await makeEvidence(device, { challenges: [OWN], jobId: JOB, keys: KEYS });
    const policy = chainPolicyOf(await device.measurement());
    const judge = (appCompose: string) => appraiseEvidence({ ...bundle, appCompose }, { ...context, policy });
    expect((await judge('services: {}')).ok).toBe(true);
    expect(failedChecks(await judge('services: {a: b}'))).toEqual(['CONFIG_ID']);
  });

  it('accepts what the policy names: other attributes, a lower level, an advisory, this platform', async () => {
    const policy: TdxPolicy = {
      ...POLICY,
      tcbStatuses: ['OutOfDate'],
      advisories: ['INTEL-SA-09901', 'INTEL-SA-09902', 'INTEL-SA-09903'],
      ppids: [DEV_PLATFORM.ppid],
      tdAttributesAllowed: '0000004000000000',
    };
    const report = {
      tdAttributes: fromHex('0000005000000000'),
      teeTcbSvn: Uint8Array.of(3, 1, 2, ...new Uint8Array(13)),
    };
    const device = await deviceOf({ policy, report, quote: { qe: { ...DEV_QE, isvSvn: 3 } } });
    const bundle = await makeEvidence(device, { challenges: [OWN], jobId: JOB, keys: KEYS });
    const accepting = { ...context, policy: chainPolicyOf(await device.measurement()), teePolicy: { tdx: policy } };
    expect(failedChecks(await appraiseEvidence(bundle, accepting))).toEqual([]);
  });
});

describe('generated roots', () => {
  it('must say DEV ONLY, and no production root stands beside them', async () => {
    expect([...rootsOf(pki).byName.keys()]).toEqual(['intel']);
    expect(rootsOf(pki).byName.get('intel')).not.toEqual(productionRoots().byName.get('intel'));
    const { X509CertificateGenerator } = await import('@peculiar/x509');
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const unmarked = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=Intel SGX Root CA, O=Intel Corporation',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    });
    expect(() => devHardwareRoots({ intel: unmarked.toString('pem') })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});
