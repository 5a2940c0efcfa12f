import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  createGpuIdentity,
  createNitroPki,
  createNvidiaPki,
  createSnpPki,
  DEV_GPU,
  DEV_NITRO_PCRS,
  DEV_SNP_REPORT,
  devNvidiaEndorsements,
  DevNras,
  devSnpEndorsements,
  issueAuthority,
  pemOf,
  signGpuEvidence,
  SoftwareGpu,
  SoftwareNitro,
  SoftwareSnp,
  SoftwareTd,
  type GpuEvidenceRequest,
  type GpuSource,
  type NrasRequest,
  type NvidiaPki,
  type RimRequest,
  type SnpPki,
  type SoftwareTdOptions,
} from '@usufruct/attestation-dev';
import { concatBytes, fromHex } from '@usufruct/kernel';
import { combineChallenges, gpuNonce, type EvidenceBundle } from '@usufruct/protocol';
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
} from '../../../test/support/tdx-world.js';
import { appraiseEvidence, failedChecks } from './appraise.js';
import { makeEvidence } from './evidence.js';
import type { NitroPolicy } from './policy/nitro-policy.js';
import type { NvidiaPolicy } from './policy/nvidia-policy.js';
import type { SnpPolicy } from './policy/snp-policy.js';
import { devHardwareRoots } from './roots.js';
import type { TeeDevice } from './tee-device.js';
import type { AppraisalContext } from './types.js';
import { parseCertificate } from './x509/certificate.js';
import { parseDer } from './x509/der.js';

const POLICY: NvidiaPolicy = {
  version: 1,
  count: 2,
  models: ['GH100'],
  driverVersions: [DEV_GPU.driverVersion],
  vbiosVersions: ['96.00.5E.00.01'],
  revocation: 'if-known',
  token: 'if-shown',
};
const filled = (value: number, length = 48): Uint8Array => new Uint8Array(length).fill(value);
const CHALLENGES = [OWN, SECOND];

let nvidia: NvidiaPki;
let nras: DevNras;
let first: SoftwareGpu;
let second: SoftwareGpu;
let good: EvidenceBundle;
let context: AppraisalContext;

type Gpus = NonNullable<SoftwareTdOptions['gpus']>;
const deviceOf = (gpus: Partial<Gpus> = {}) =>
  SoftwareTd.create({
    pki: tdxPki,
    policy: TDX_POLICY,
    events: EVENTS,
    gpus: { policy: POLICY, devices: [first, second], ...gpus },
  });
const bundleFrom = (device: TeeDevice) => makeEvidence(device, { challenges: CHALLENGES, jobId: JOB, keys: KEYS });
const bundleOf = async (gpus: Partial<Gpus> = {}) => bundleFrom(await deviceOf(gpus));

beforeAll(async () => {
  await startTdxWorld();
  [nvidia, nras] = await Promise.all([createNvidiaPki(NOW_MS), DevNras.create()]);
  [first, second] = await Promise.all([SoftwareGpu.create(nvidia, NOW_MS), SoftwareGpu.create(nvidia, NOW_MS)]);
  good = await bundleOf();
  context = {
    ...tdxContext,
    policy: { ...chainPolicyOf(await (await deviceOf()).measurement()), profiles: ['tdx+nv'] },
    teePolicy: { tdx: TDX_POLICY, nvidia: POLICY },
    endorsements: { ...tdxContext.endorsements, ...(await devNvidiaEndorsements(nvidia)), ...nras.endorsements },
    roots: devHardwareRoots({
      intel: pemOf(tdxPki.root),
      nvidiaDevice: pemOf(nvidia.deviceRoot),
      nvidiaRim: pemOf(nvidia.rim[3]),
    }),
  };
});

interface Case {
  readonly bundle?: EvidenceBundle;
  readonly context?: Partial<AppraisalContext>;
}
type Row = readonly [name: string, failed: readonly string[], make: () => Promise<Case>];

/** A row of ATTESTATION.md's bad-input table in its words; each of its cases has more tests elsewhere. */
function describeRow(row: string, cases: readonly Row[]): void {
  describe(row, () => {
    it.each(cases)('%s → %j', async (_name, expected, make) => {
      const { bundle = good, context: changes = {} } = await make();
      const result = await appraiseEvidence(bundle, { ...context, ...changes });
      expect(failedChecks(result).toSorted()).toEqual([...expected].toSorted());
      expect(result.ok).toBe(false);
      expect(result.claims).toBeUndefined();
    });
  });
}

/** The first GPU as the guest measured it, answering now with something else. */
const gpu =
  (changes: () => Partial<GpuEvidenceRequest> | Promise<Partial<GpuEvidenceRequest>>): Row[2] =>
  async () => {
    const request = await changes();
    const evidence: GpuSource['evidence'] = (nonce) =>
      signGpuEvidence({ pki: nvidia, identity: first.identity, nonce, ...request });
    return { bundle: await bundleOf({ devices: [{ deviceId: first.deviceId, evidence }, second] }) };
  };
const gpus =
  (changes: () => Partial<Gpus>): Row[2] =>
  async () => ({ bundle: await bundleOf(changes()) });
const changed =
  (changes: () => Partial<EvidenceBundle>): Row[2] =>
  async () => ({ bundle: { ...good, ...changes() } });
const manifest =
  (changes: () => Partial<RimRequest> | Promise<Partial<RimRequest>>): Row[2] =>
  async () => {
    const endorsements = await devNvidiaEndorsements(nvidia, { driver: await changes() });
    return { context: { endorsements: { ...context.endorsements, ...endorsements } } };
  };

describeRow(
  '"GPU bad signature, expired chain, nonce of another session, FWID mismatch" → GPU_SIGNATURE, GPU_CHAIN, GPU_NONCE, GPU_FWID',
  [
    ['GPU bad signature', ['GPU_SIGNATURE'], gpu(() => ({ signer: second.identity.leaf }))],
    [
      'GPU expired chain',
      ['GPU_CHAIN'],
      gpu(async () => {
        const { leaf } = await createGpuIdentity({
          pki: nvidia,
          nowMs: NOW_MS,
          firmwareId: filled(0xf1),
          untilDays: -0.5,
        });
        return { identity: { ...first.identity, leaf }, signer: leaf };
      }),
    ],
    ['GPU nonce of another session', ['GPU_NONCE'], gpu(() => ({ nonce: filled(9, 32) }))],
    ['GPU FWID mismatch', ['GPU_FWID'], gpu(() => ({ fields: { firmwareId: filled(0xf2) } }))],
  ],
);

describeRow('"evidence of another machine\'s GPU with the same nonce" → GPU_BINDING', [
  [
    "evidence of another machine's GPU with the same nonce",
    ['GPU_BINDING'],
    async () => {
      const stranger = await SoftwareGpu.create(nvidia, NOW_MS);
      const relayed = { deviceId: first.deviceId, evidence: (nonce: Uint8Array) => stranger.evidence(nonce) };
      return { bundle: await bundleOf({ devices: [relayed, second] }) };
    },
  ],
  // Report data holds a digest of the evidence as well, and that is the business of BINDING.
  [
    'order changed after hashing',
    ['GPU_BINDING', 'BINDING'],
    changed(() => ({ gpuEvidence: good.gpuEvidence!.toReversed() })),
  ],
  [
    'set changed after hashing',
    ['GPU_BINDING', 'BINDING', 'GPU_TOPOLOGY'],
    changed(() => ({ gpuEvidence: good.gpuEvidence!.slice(1) })),
  ],
]);

describeRow(
  '"GPU in DEVTOOLS or CC off; duplicate serial; GPU missing; canned nonce" → GPU_MODE, GPU_TOPOLOGY, GPU_CANNED',
  [
    ['GPU in DEVTOOLS', ['GPU_MODE'], gpus(() => ({ mode: 'cc-devtools' }))],
    ['CC off', ['GPU_MODE'], gpus(() => ({ mode: 'cc-off' }))],
    ['duplicate serial', ['GPU_TOPOLOGY'], gpus(() => ({ devices: [first, first] }))],
    ['GPU missing', ['GPU_TOPOLOGY'], gpus(() => ({ devices: [first] }))],
    // It is the nonce of another session, too.
    [
      'canned nonce',
      ['GPU_CANNED', 'GPU_NONCE'],
      gpu(() => ({ nonce: fromHex('931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb') })),
    ],
  ],
);

describeRow(
  '"RIM altered, expired, wrong root, value mismatch, DTD" → RIM_SIGNATURE, RIM_EXPIRED, RIM_ROOT, RIM_MISMATCH, RIM_DTD',
  [
    ['RIM altered', ['RIM_SIGNATURE'], manifest(() => ({ alter: (text) => text.replace('size="48"', 'size="47"') }))],
    [
      'RIM expired',
      ['RIM_EXPIRED'],
      manifest(async () => {
        const [, ...issuers] = nvidia.rim;
        const issuer = issuers[0];
        const request = { commonName: 'RIM L4 Signer', isCa: false, nowMs: NOW_MS, curve: 'P-384', issuer } as const;
        return { chain: [await issueAuthority({ ...request, untilDays: -0.5 }), ...issuers] };
      }),
    ],
    ['RIM wrong root', ['RIM_ROOT'], manifest(async () => ({ chain: (await createNvidiaPki(NOW_MS)).rim }))],
    ['RIM value mismatch', ['RIM_MISMATCH'], manifest(() => ({ golden: new Map([[0, [filled(1)]]]) }))],
    ['RIM DTD', ['RIM_DTD'], manifest(() => ({ alter: (text) => `<!DOCTYPE a [<!ENTITY b "c">]>${text}` }))],
  ],
);

const token =
  (changes: () => Partial<NrasRequest>): Row[2] =>
  async () => {
    const devices = [first, second].map(({ identity }, i) => ({ name: `GPU-${i}`, serial: identity.leaf.serial }));
    const nonce = gpuNonce(combineChallenges(CHALLENGES), KEYS);
    const gpuToken = await nras.token({ nonce, nowMs: NOW_MS, devices, ...changes() });
    return { bundle: { ...good, gpuToken } };
  };
describeRow('"NRAS token: alg none, wrong issuer, expired, unknown kid, submodule swapped, overall false" → EAT_*', [
  ['NRAS token: alg none', ['EAT_ALGORITHM'], token(() => ({ header: { alg: 'none' } }))],
  ['NRAS token: wrong issuer', ['EAT_ISSUER'], token(() => ({ overall: { iss: 'https://nras.example' } }))],
  ['NRAS token: expired', ['EAT_EXPIRED'], token(() => ({ nowMs: NOW_MS - 2 * 3_600_000 }))],
  ['NRAS token: unknown kid', ['EAT_KEY'], token(() => ({ header: { kid: 'another' } }))],
  [
    'NRAS token: submodule swapped',
    ['EAT_SUBMODULE'],
    token(() => ({ swap: (all) => ({ 'GPU-0': all['GPU-1']!, 'GPU-1': all['GPU-0']! }) })),
  ],
  ['NRAS token: overall false', ['EAT_RESULT'], token(() => ({ overall: { 'x-nvidia-overall-att-result': false } }))],
]);

const SNP_POLICY: SnpPolicy = {
  version: 1,
  products: ['Milan'],
  permissions: ['SMT'],
  minTcb: { fmc: 0, bootloader: 4, tee: 0, snp: 24, microcode: 219 },
  platformInfo: '20'.padEnd(16, '0'),
  vmpls: [0],
  chipIds: [],
};
const NITRO_POLICY: NitroPolicy = { version: 1, maxAgeMs: 300_000, registers: [] };

async function snpCase(shown: SnpPki, known: SnpPki, guestPolicy = DEV_SNP_REPORT.guestPolicy): Promise<Case> {
  const device = new SoftwareSnp({ pki: shown, policy: SNP_POLICY, fields: { guestPolicy } });
  return {
    bundle: await bundleFrom(device),
    context: {
      policy: { ...chainPolicyOf(await device.measurement()), profiles: ['snp'] },
      teePolicy: { snp: SNP_POLICY },
      endorsements: await devSnpEndorsements({ pki: known, nowMs: NOW_MS }),
      roots: devHardwareRoots({ amd: pemOf(known.ark) }),
    },
  };
}

async function zeroPcrs(): Promise<Case> {
  const pki = await createNitroPki({ nowMs: NOW_MS });
  const pcrs = new Map([...DEV_NITRO_PCRS, [0, filled(0)], [1, filled(0)], [2, filled(0)]] as [number, Uint8Array][]);
  const device = new SoftwareNitro({ pki, policy: NITRO_POLICY, nowMs: () => NOW_MS, fields: { pcrs } });
  return {
    bundle: await bundleFrom(device),
    context: {
      policy: { ...chainPolicyOf(await device.measurement()), profiles: ['nitro'] },
      teePolicy: { nitro: NITRO_POLICY },
      roots: devHardwareRoots({ awsNitro: pemOf(pki.root) }),
    },
  };
}

describeRow('"SNP debug policy; wrong VCEK; Nitro zero PCRs" → DEBUG, CHAIN', [
  [
    'SNP debug policy',
    ['DEBUG'],
    async () => {
      const pki = await createSnpPki({ nowMs: NOW_MS });
      return snpCase(pki, pki, fromHex('1f000b0000000000'));
    },
  ],
  [
    'SNP wrong VCEK',
    ['CHAIN'],
    async () => snpCase(await createSnpPki({ nowMs: NOW_MS }), await createSnpPki({ nowMs: NOW_MS })),
  ],
  ['Nitro zero PCRs', ['DEBUG'], zeroPcrs],
]);

const NAMESPACES = Array.from({ length: 5000 }, (_, i) => ` xmlns:n${i}="n"`).join('');
const withNamespaces = (text: string): string => text.replace('<SoftwareIdentity', `<SoftwareIdentity${NAMESPACES}`);

describeRow('"certificates, XML and JSON with absurd sizes or depths" are refused quickly', [
  ['XML of absurd depth', ['RIM_PARSE'], manifest(() => ({ alter: (text) => '<a>'.repeat(100_000) + text }))],
  ['XML of absurd size', ['RIM_PARSE'], manifest(() => ({ alter: (text) => text + ' '.repeat(600_000) }))],
  ['XML of absurdly many namespaces', ['RIM_PARSE'], manifest(() => ({ alter: withNamespaces }))],
  ['JSON of absurd depth', ['EAT_PARSE'], changed(() => ({ gpuToken: JSON.parse('['.repeat(9e4) + ']'.repeat(9e4)) }))],
  ['JSON of absurd size', ['EAT_PARSE'], changed(() => ({ gpuToken: [['JWT', 'a'.repeat(1e6)], {}] }))],
]);

describe('certificates of absurd sizes or depths', () => {
  it('are refused, a hundred of them in seconds of processor time', () => {
    let deep: Uint8Array = new Uint8Array(300);
    for (let i = 0; i < 1000; i++) {
      deep = concatBytes(Uint8Array.of(0x30, 0x82, deep.length >> 8, deep.length & 0xff), deep);
    }
    const large = new Uint8Array(2_000_000).fill(0x30);
    const { user, system } = process.cpuUsage();
    for (let i = 0; i < 100; i++) {
      expect([parseCertificate(deep), parseCertificate(large), parseDer(large)]).toEqual([null, null, null]);
    }
    const spent = process.cpuUsage();
    // 20 ms; but the collector of a process that has run many tests may take seconds meanwhile.
    expect(spent.user + spent.system - user - system).toBeLessThan(10_000_000);
  });
});
