import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  createGpuIdentity,
  createNvidiaPki,
  DEV_GPU,
  DEV_RIM_NAMES,
  devNvidiaEndorsements,
  devSwitchEndorsements,
  issueAuthority,
  pemOf,
  signGpuEvidence,
  SoftwareGpu,
  SoftwareSwitch,
  SoftwareTd,
  type DevAuthority,
  type GpuEvidenceRequest,
  type GpuSource,
  type NvidiaPki,
  type RimRequest,
  type SoftwareTdOptions,
} from '@usufruct/attestation-dev';
import { fromHex, fromUtf8, utf8 } from '@usufruct/kernel';
import type { EvidenceBundle } from '@usufruct/protocol';
import {
  chainPolicyOf,
  context as tdxContext,
  EVENTS,
  JOB,
  KEYS,
  NOW_MS,
  OWN,
  pki as tdxPki,
  POLICY as TDX_POLICY,
  SECOND,
  startTdxWorld,
} from '../../../../test/support/tdx-world.js';
import { appraiseEvidence, failedChecks } from '../appraise.js';
import { makeEvidence } from '../evidence.js';
import { GPU_CHECKS } from '../nvidia/inspect.js';
import type { NvidiaPolicy } from '../policy/nvidia-policy.js';
import { devHardwareRoots, productionRoots } from '../roots.js';
import type { TeeDevice } from '../tee-device.js';
import type { AppraisalContext, Endorsements } from '../types.js';

const POLICY: NvidiaPolicy = {
  version: 1,
  count: 2,
  models: ['GH100'],
  driverVersions: [DEV_GPU.driverVersion],
  vbiosVersions: ['96.00.5E.00.01'],
  revocation: 'if-known',
};
const filled = (value: number): Uint8Array => new Uint8Array(48).fill(value);

let nvidia: NvidiaPki;
let first: SoftwareGpu;
let second: SoftwareGpu;
let good: EvidenceBundle;
let context: AppraisalContext;
let manifests: Endorsements;

type Gpus = NonNullable<SoftwareTdOptions['gpus']>;
const deviceOf = (gpus: Partial<Gpus> = {}, options: Partial<SoftwareTdOptions> = {}) =>
  SoftwareTd.create({
    pki: tdxPki,
    policy: TDX_POLICY,
    events: EVENTS,
    gpus: { policy: POLICY, devices: [first, second], ...gpus },
    ...options,
  });
const bundleFrom = (device: TeeDevice) => makeEvidence(device, { challenges: [OWN, SECOND], jobId: JOB, keys: KEYS });
const bundleOf = async (...of: Parameters<typeof deviceOf>): Promise<EvidenceBundle> =>
  bundleFrom(await deviceOf(...of));

beforeAll(async () => {
  await startTdxWorld();
  nvidia = await createNvidiaPki(NOW_MS);
  [first, second] = await Promise.all([SoftwareGpu.create(nvidia, NOW_MS), SoftwareGpu.create(nvidia, NOW_MS)]);
  manifests = await devNvidiaEndorsements(nvidia);
  good = await bundleOf();
  context = {
    ...tdxContext,
    policy: { ...chainPolicyOf(await (await deviceOf()).measurement()), profiles: ['tdx+nv'] },
    teePolicy: { tdx: TDX_POLICY, nvidia: POLICY },
    endorsements: { ...tdxContext.endorsements, ...manifests },
    roots: devHardwareRoots({
      intel: pemOf(tdxPki.root),
      nvidiaDevice: pemOf(nvidia.deviceRoot),
      nvidiaRim: pemOf(nvidia.rim[3]),
    }),
  };
});

describe('a software TD with two GPUs', () => {
  it('passes every check; processor, GPUs and their bond are claimed apart', async () => {
    const result = await appraiseEvidence(good, context);
    expect(result.checks.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(result.ok).toBe(true);
    for (const name of [...GPU_CHECKS, 'GPU_MODE', 'GPU_BINDING', 'SIGNATURE', 'BINDING']) {
      expect(result.checks).toContainEqual(expect.objectContaining({ name, status: 'passed' }));
    }
    expect(result.claims).toMatchObject({ profile: 'tdx+nv', standIn: true });
    expect(result.claims?.cpu).toMatchObject({ tee: 'tdx', debug: false });
    const device = { model: 'GH100', driverVersion: '550.144.03', vbiosVersion: '96.00.5E.00.01' };
    expect(result.claims?.gpu?.devices).toEqual([device, device]);
    expect(result.claims?.binding.gpu).toBe(true);
  });

  it('passes with NVSwitches as well, which the guest measured among its devices', async () => {
    const one = await SoftwareSwitch.create(nvidia, NOW_MS);
    const gpu = await SoftwareGpu.create(nvidia, NOW_MS);
    [gpu.links, one.links] = [[one.pdi], [gpu.pdi]];
    const changed = { ...POLICY, count: 1, switches: { count: 1, models: ['LS10'], biosVersions: ['96.10.6D.00.01'] } };
    const device = await deviceOf({ policy: changed, devices: [gpu, one] });
    const world = {
      ...context,
      policy: { ...context.policy, measurements: [await device.measurement()] },
      teePolicy: { tdx: TDX_POLICY, nvidia: changed },
      endorsements: { ...context.endorsements, ...(await devSwitchEndorsements(nvidia)) },
    };
    const result = await appraiseEvidence(await bundleFrom(device), world);
    expect(failedChecks(result)).toEqual([]);
    expect(result.claims?.gpu?.switches).toEqual([{ model: 'LS10', biosVersion: '96.10.6D.00.01' }]);
    const unmeasured = await deviceOf({ policy: changed, devices: [gpu] });
    const relayed: TeeDevice = {
      profile: 'tdx+nv',
      standIn: true,
      eventLog: unmeasured.eventLog,
      measurement: () => unmeasured.measurement(),
      quote: (reportData) => unmeasured.quote(reportData),
      gpuEvidence: (nonce) => Promise.all([gpu.evidence(nonce), one.evidence(nonce)]),
    };
    expect(failedChecks(await appraiseEvidence(await bundleFrom(relayed), world))).toEqual(['GPU_BINDING']);
  });

  it('may show a token of its vendor, on which nothing rests', async () => {
    const { ok, checks } = await appraiseEvidence({ ...good, gpuToken: 'x' }, context);
    expect(ok).toBe(true);
    expect(checks).toContainEqual(expect.objectContaining({ name: 'GPU_TOKEN', status: 'skipped' }));
  });
});

interface Case {
  readonly bundle?: EvidenceBundle;
  readonly context?: Partial<AppraisalContext>;
}
type Row = readonly [name: string, failed: readonly string[], make: () => Promise<Case>];

/** The first GPU as the guest measured it, answering now with something else. */
const gpu =
  (changes: () => Partial<GpuEvidenceRequest> | Promise<Partial<GpuEvidenceRequest>>): Row[2] =>
  async () => {
    const request = await changes();
    const evidence: GpuSource['evidence'] = (nonce) =>
      signGpuEvidence({ pki: nvidia, identity: first.identity, nonce, ...request });
    return { bundle: await bundleOf({ devices: [{ deviceId: first.deviceId, evidence }, second] }) };
  };
const manifest =
  (changes: () => Partial<RimRequest> | Promise<Partial<RimRequest>>): Row[2] =>
  async () => {
    const endorsements = await devNvidiaEndorsements(nvidia, { driver: await changes() });
    return { context: { endorsements: { ...tdxContext.endorsements, ...endorsements } } };
  };
const gpus =
  (changes: () => Partial<Gpus>): Row[2] =>
  async () => ({ bundle: await bundleOf(changes()) });
/** Another policy, which the guest measured and the chain approved. */
const policy =
  (changes: Partial<NvidiaPolicy>): Row[2] =>
  async () => {
    const changed = { ...POLICY, ...changes };
    const device = await deviceOf({ policy: changed });
    const measurements = [await device.measurement()];
    const teePolicy = { tdx: TDX_POLICY, nvidia: changed };
    return { bundle: await bundleFrom(device), context: { policy: { ...context.policy, measurements }, teePolicy } };
  };
const rimAuthority = (commonName: string, issuer?: DevAuthority, untilDays = 365) =>
  issueAuthority({ commonName, isCa: false, nowMs: NOW_MS, curve: 'P-384', untilDays, ...(issuer && { issuer }) });

const rows: Row[] = [
  ['GPU signed by another', ['GPU_SIGNATURE'], gpu(() => ({ signer: second.identity.leaf }))],
  ['nonce of another session', ['GPU_NONCE'], gpu(() => ({ nonce: new Uint8Array(32).fill(9) }))],
  [
    'chain expired',
    ['GPU_CHAIN'],
    gpu(async () => {
      const firmwareId = filled(0xf1);
      const { leaf } = await createGpuIdentity({ pki: nvidia, nowMs: NOW_MS, firmwareId, untilDays: -0.5 });
      return { identity: { ...first.identity, leaf }, signer: leaf };
    }),
  ],
  [
    'nonce that NVIDIA hands out for tests',
    ['GPU_NONCE', 'GPU_CANNED'],
    gpu(() => ({ nonce: fromHex('931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb') })),
  ],
  [
    'device that NVIDIA hands out for tests',
    ['GPU_CANNED', 'GPU_BINDING'],
    gpu(async () => {
      const firmwareId = filled(0xf1);
      const serial = '53c22ba15e5d68088282da074ed9fb37aa585771';
      return { identity: await createGpuIdentity({ pki: nvidia, nowMs: NOW_MS, firmwareId, serial }) };
    }),
  ],
  ['firmware of another version', ['GPU_FWID'], gpu(() => ({ fields: { firmwareId: filled(0xf2) } }))],
  ['firmware that does not say which', ['GPU_FWID'], gpu(() => ({ fields: { firmwareId: null } }))],
  [
    "another machine's GPU with the same nonce",
    ['GPU_BINDING'],
    async () => {
      const stranger = await SoftwareGpu.create(nvidia, NOW_MS);
      const relayed = { deviceId: first.deviceId, evidence: (nonce: Uint8Array) => stranger.evidence(nonce) };
      return { bundle: await bundleOf({ devices: [relayed, second] }) };
    },
  ],
  [
    'order of the GPUs changed after hashing',
    ['BINDING', 'GPU_BINDING'],
    async () => ({ bundle: { ...good, gpuEvidence: good.gpuEvidence!.toReversed() } }),
  ],
  [
    'a GPU dropped after hashing',
    ['BINDING', 'GPU_BINDING', 'GPU_TOPOLOGY'],
    async () => ({ bundle: { ...good, gpuEvidence: good.gpuEvidence!.slice(1) } }),
  ],
  ['one GPU shown twice', ['GPU_TOPOLOGY'], gpus(() => ({ devices: [first, first] }))],
  ['a GPU missing', ['GPU_TOPOLOGY'], gpus(() => ({ devices: [first] }))],
  ['DEVTOOLS', ['GPU_MODE'], gpus(() => ({ mode: 'cc-devtools' }))],
  ['confidential computing off', ['GPU_MODE'], gpus(() => ({ mode: 'cc-off' }))],
  [
    'a guest that measured nothing about its GPUs',
    ['GPU_MODE', 'GPU_POLICY_EVENT', 'GPU_BINDING'],
    async () => {
      const plain = await SoftwareTd.create({ pki: tdxPki, policy: TDX_POLICY, events: EVENTS });
      const withGpus = await deviceOf();
      const device: TeeDevice = {
        profile: 'tdx+nv',
        standIn: true,
        eventLog: plain.eventLog,
        measurement: () => withGpus.measurement(),
        quote: (reportData) => plain.quote(reportData),
        gpuEvidence: (nonce) => withGpus.gpuEvidence(nonce),
      };
      return { bundle: await bundleFrom(device) };
    },
  ],
  [
    'a statement about the GPUs that is not in the register',
    ['RTMR', 'GPU_MODE', 'GPU_BINDING'],
    async () => ({ bundle: { ...good, eventLog: good.eventLog.slice(0, -1) } }),
  ],
  ['a model that is not in the policy', ['GPU_MODEL'], policy({ models: ['GB100'] })],
  ['a driver that is not in the policy', ['GPU_VERSIONS'], policy({ driverVersions: [] })],
  ['a VBIOS that is not in the policy', ['GPU_VERSIONS'], policy({ vbiosVersions: ['96.00.5E.00.02'] })],
  ['another policy measured', ['GPU_POLICY_EVENT'], gpus(() => ({ policy: { ...POLICY, version: 2 } }))],
  [
    'a laxer GPU policy in the hands of the verifier',
    ['MEASUREMENT', 'GPU_POLICY_EVENT'],
    async () => ({ context: { teePolicy: { tdx: TDX_POLICY, nvidia: { ...POLICY, models: ['GH100', 'AD102'] } } } }),
  ],
  ['no GPU policy', ['MEASUREMENT', 'GPU_POLICY'], async () => ({ context: { teePolicy: { tdx: TDX_POLICY } } })],
  ['no GPU evidence', ['GPU_PARSE', 'BINDING'], async () => ({ bundle: { ...good, gpuEvidence: [] } })],
  [
    'GPU evidence that is none',
    ['GPU_PARSE', 'BINDING'],
    async () => ({ bundle: { ...good, gpuEvidence: ['AAAA', good.gpuEvidence![1]!] } }),
  ],
  ['debug of the TD', ['TD_ATTRIBUTES', 'DEBUG'], debugging],
  [
    'production roots',
    ['ROOT_NOT_PINNED', 'GPU_ROOT', 'RIM_ROOT'],
    async () => ({ context: { roots: productionRoots() } }),
  ],
  [
    'manifest altered',
    ['RIM_SIGNATURE'],
    manifest(() => ({ alter: (text) => text.replace('size="48"', 'size="47"') })),
  ],
  [
    'manifest with a document type',
    ['RIM_DTD'],
    manifest(() => ({ alter: (text) => `<!DOCTYPE a [<!ENTITY b "c">]>${text}` })),
  ],
  ['manifest that is no XML', ['RIM_PARSE'], manifest(() => ({ alter: () => '<a>' }))],
  [
    'manifest missing',
    ['RIM_PARSE'],
    async () => {
      const { [DEV_RIM_NAMES.vbios]: _gone, ...rest } = manifests;
      return { context: { endorsements: { ...tdxContext.endorsements, ...rest } } };
    },
  ],
  ['value that differs', ['RIM_MISMATCH'], manifest(() => ({ golden: new Map([[0, [filled(1), filled(2)]]]) }))],
  ['index that the VBIOS has as well', ['RIM_MISMATCH'], manifest(() => ({ golden: new Map([[1, [filled(0xc1)]]]) }))],
  ['manifest of another version', ['RIM_VERSION'], manifest(() => ({ version: '550.90.07' }))],
  ['manifest of another product', ['RIM_VERSION'], manifest(() => ({ product: 'GB100' }))],
  [
    'signer of the manifest expired',
    ['RIM_EXPIRED'],
    manifest(async () => {
      const [, ...issuers] = nvidia.rim;
      return { chain: [await rimAuthority('RIM L4 Signer', issuers[0], -0.5), ...issuers] };
    }),
  ],
  ['manifest under another root', ['RIM_ROOT'], manifest(async () => ({ chain: (await createNvidiaPki(NOW_MS)).rim }))],
  [
    'manifest signed by itself',
    ['RIM_ROOT', 'RIM_CHAIN'],
    manifest(async () => ({ chain: [await rimAuthority('RIM L4 Signer')] })),
  ],
];

async function debugging(): Promise<Case> {
  const device = await deviceOf({}, { report: { tdAttributes: fromHex('0100001000000000') } });
  return { bundle: await bundleFrom(device) };
}

describe('bad composite evidence: each row fails the named checks and no other', () => {
  it.each(rows)('%s → %j', async (_name, expected, make) => {
    const { bundle = good, context: changes = {} } = await make();
    const result = await appraiseEvidence(bundle, { ...context, ...changes });
    expect(failedChecks(result).toSorted()).toEqual([...expected].toSorted());
    expect(result.ok).toBe(false);
    expect(result.claims).toBeUndefined();
  });

  it('(the manifests made here are canonical: white space outside of the root changes nothing)', async () => {
    const text = fromUtf8(manifests[DEV_RIM_NAMES.driver]!);
    const endorsements = { ...context.endorsements, [DEV_RIM_NAMES.driver]: utf8(`\n${text}\n`) };
    expect((await appraiseEvidence(good, { ...context, endorsements })).ok).toBe(true);
  });
});
