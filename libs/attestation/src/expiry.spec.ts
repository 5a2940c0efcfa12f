import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  createGpuIdentity,
  createNitroPki,
  createSnpPki,
  DEV_GPU,
  devNvidiaEndorsements,
  DevNras,
  devSnpEndorsements,
  devTdxEndorsements,
  issueAuthority,
  issueOcsp,
  issueOcspResponder,
  issuePck,
  pemOf,
  signGpuEvidence,
  SoftwareNitro,
  SoftwareSnp,
  SoftwareTd,
  type DevAuthority,
} from '@usufruct/attestation-dev';
import { sha256 } from '@usufruct/crypto';
import { toHex, toHex32, type Hex32 } from '@usufruct/kernel';
import { combineChallenges, gpuNonce, LIMITS, type AppraisalPolicy, type EvidenceBundle } from '@usufruct/protocol';
import fc from 'fast-check';
import { appraiseEvidence, failedChecks } from './appraise.js';
import { makeEvidence } from './evidence.js';
import { NVIDIA_ENDORSEMENTS } from './nvidia/endorsements.js';
import type { NitroPolicy } from './policy/nitro-policy.js';
import type { NvidiaPolicy } from './policy/nvidia-policy.js';
import type { SnpPolicy } from './policy/snp-policy.js';
import type { TdxPolicy } from './policy/tdx-policy.js';
import { devHardwareRoots } from './roots.js';
import type { AppraisalContext, Endorsements } from './types.js';

/*
 * A result must not outlive anything that it rests on. Everything that ends is given an end of its own here; the result
 * must end with the first, and the same evidence must be good up to that moment and refused after it.
 */

const NOW_MS = Date.UTC(2026, 5, 1);
const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 24 * 60;
const bytes = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);
const JOB = toHex32<Hex32>(bytes(7));
const OWN = bytes(1);
const KEYS = { hpkePublicKey: bytes(21), signingPublicKey: bytes(22) };
/** As long as any policy may say, so that what ends within a day decides. */
const policyOf = (profile: EvidenceBundle['profile'], measurement: string): AppraisalPolicy => ({
  version: 1,
  profiles: [profile],
  measurements: [measurement],
  resultTermMs: LIMITS.runnerRegistrationTermMs,
});

/** Minutes from now until each thing ends. */
type Ends = Readonly<Record<string, number>>;
interface World {
  readonly bundle: EvidenceBundle;
  readonly context: AppraisalContext;
}

const TDX_POLICY: TdxPolicy = {
  version: 1,
  tcbStatuses: ['UpToDate'],
  advisories: [],
  minTcbEvaluationDataNumber: 18,
  ppids: [],
  tdAttributesAllowed: '00'.repeat(8),
  xfams: ['e702060000000000'],
  requiredEvents: [],
};
const GPU_POLICY: NvidiaPolicy = {
  version: 1,
  count: 1,
  models: ['GH100'],
  driverVersions: [DEV_GPU.driverVersion],
  vbiosVersions: ['96.00.5E.00.01'],
  revocation: 'required',
  token: 'required',
};
const INTEL = ['root', 'platformCa', 'pck', 'tcbSigning', 'rootCrl', 'pckCrl', 'tcbInfo', 'qeIdentity'];
const DEVICE = ['bootRom', 'provisioner', 'identityCa', 'deviceRoot'];
const RIM = ['rimSigner', 'rimIssuer', 'rimCa', 'rimRoot'];
const ASKED = [...DEVICE.slice(0, -1), ...RIM.slice(0, -1)];
const TDX_GPU_PARTS = [
  ...INTEL,
  'leaf',
  ...DEVICE,
  ...RIM,
  ...ASKED.flatMap((name) => [`ocsp of ${name}`, `responder of ${name}`]),
  'token',
  'token of the device',
];

const daysOf = (ends: Ends, name: string): number => ends[name]! / MINUTES_A_DAY;
const isoOf = (ends: Ends, name: string): string =>
  `${new Date(NOW_MS + ends[name]! * MINUTE_MS).toISOString().slice(0, 19)}Z`;
const secondsOf = (ends: Ends, name: string): number => (NOW_MS + ends[name]! * MINUTE_MS) / 1000;

type Issue = (name: string, commonName: string, issuer?: DevAuthority) => Promise<DevAuthority>;
const issuerFor =
  (ends: Ends, curve: 'P-256' | 'P-384'): Issue =>
  (name, commonName, issuer) =>
    issueAuthority({
      commonName,
      isCa: name !== 'tcbSigning' && name !== 'rimSigner',
      nowMs: NOW_MS,
      curve,
      untilDays: daysOf(ends, name),
      ...(issuer === undefined ? {} : { issuer }),
    });

async function intelPart(ends: Ends) {
  const issue = issuerFor(ends, 'P-256');
  const root = await issue('root', 'Intel SGX Root CA');
  const platformCa = await issue('platformCa', 'Intel SGX PCK Platform CA', root);
  const pck = await issuePck({ issuer: platformCa, nowMs: NOW_MS, untilDays: daysOf(ends, 'pck') });
  const tcbSigning = await issue('tcbSigning', 'Intel SGX TCB Signing', root);
  const pki = { root, platformCa, pck, tcbSigning };
  const endorsements = await devTdxEndorsements({
    pki,
    nowMs: NOW_MS,
    tcbInfo: { nextUpdate: isoOf(ends, 'tcbInfo') },
    qeIdentity: { nextUpdate: isoOf(ends, 'qeIdentity') },
    rootCrl: { untilDays: daysOf(ends, 'rootCrl') },
    pckCrl: { untilDays: daysOf(ends, 'pckCrl') },
  });
  return { pki, endorsements };
}

async function nvidiaPart(ends: Ends) {
  const issue = issuerFor(ends, 'P-384');
  const deviceRoot = await issue('deviceRoot', 'NVIDIA Device Identity CA');
  const identityCa = await issue('identityCa', 'NVIDIA GH100 Identity', deviceRoot);
  const provisioner = await issue('provisioner', 'NVIDIA GH100 Provisioner ICA 1', identityCa);
  const rimRoot = await issue('rimRoot', 'NVIDIA CoRIM signing Root CA');
  const rimCa = await issue('rimCa', 'NVIDIA Reference Value GH100 CA', rimRoot);
  const rimIssuer = await issue('rimIssuer', 'NVIDIA Reference Value L3 GH100', rimCa);
  const rimSigner = await issue('rimSigner', 'RIM L4 Signer', rimIssuer);
  const pki = { deviceRoot, identityCa, provisioner, rim: [rimSigner, rimIssuer, rimCa, rimRoot] as const };
  const identity = await createGpuIdentity({
    pki,
    nowMs: NOW_MS,
    firmwareId: DEV_GPU.firmwareId!,
    untilDays: daysOf(ends, 'leaf'),
    bootRomDays: daysOf(ends, 'bootRom'),
  });
  const chains = [
    [identity.bootRom, provisioner, identityCa, deviceRoot],
    [rimSigner, rimIssuer, rimCa, rimRoot],
  ];
  const pairs = chains.flatMap((chain) => chain.slice(0, -1).map((certificate, i) => [certificate, chain[i + 1]!]));
  const answers = await Promise.all(pairs.map((pair, i) => answerAbout(ends, ASKED[i]!, pair[0]!, pair[1]!)));
  return { pki, identity, endorsements: Object.assign({}, ...answers) as Endorsements };
}

async function answerAbout(
  ends: Ends,
  name: string,
  certificate: DevAuthority,
  issuer: DevAuthority,
): Promise<Endorsements> {
  const responder = await issueOcspResponder(issuer, NOW_MS, { untilDays: daysOf(ends, `responder of ${name}`) });
  const untilDays = daysOf(ends, `ocsp of ${name}`);
  const der = await issueOcsp({ certificate, issuer, responder, nowMs: NOW_MS, untilDays });
  return { [NVIDIA_ENDORSEMENTS.ocsp(toHex(sha256(certificate.der)))]: der };
}

let nras: DevNras;
beforeAll(async () => {
  nras = await DevNras.create();
});

async function tdxGpuWorld(ends: Ends): Promise<World> {
  const [intel, nvidia] = await Promise.all([intelPart(ends), nvidiaPart(ends)]);
  const { pki, identity } = nvidia;
  const gpu = {
    deviceId: toHex(sha256(identity.bootRom.der)),
    evidence: (nonce: Uint8Array) => signGpuEvidence({ pki, identity, nonce }),
  };
  const gpus = { policy: GPU_POLICY, devices: [gpu] };
  const device = await SoftwareTd.create({ pki: intel.pki, policy: TDX_POLICY, gpus });
  const gpuToken = await nras.token({
    nonce: gpuNonce(combineChallenges([OWN]), KEYS),
    nowMs: NOW_MS,
    devices: [{ name: 'GPU-0', serial: identity.leaf.serial }],
    overall: { exp: secondsOf(ends, 'token') },
    device: { exp: secondsOf(ends, 'token of the device') },
  });
  return {
    bundle: { ...(await makeEvidence(device, { challenges: [OWN], jobId: JOB, keys: KEYS })), gpuToken },
    context: {
      ownChallenge: OWN,
      jobId: JOB,
      nowMs: NOW_MS,
      policy: policyOf('tdx+nv', await device.measurement()),
      teePolicy: { tdx: TDX_POLICY, nvidia: GPU_POLICY },
      endorsements: {
        ...intel.endorsements,
        ...nvidia.endorsements,
        ...nras.endorsements,
        ...(await devNvidiaEndorsements({ ...pki, rim: [...pki.rim] })),
      },
      roots: devHardwareRoots({
        intel: pemOf(intel.pki.root),
        nvidiaDevice: pemOf(pki.deviceRoot),
        nvidiaRim: pemOf(pki.rim[3]),
      }),
    },
  };
}

const SNP_POLICY: SnpPolicy = {
  version: 1,
  products: ['Milan'],
  permissions: ['SMT'],
  minTcb: { fmc: 0, bootloader: 4, tee: 0, snp: 24, microcode: 219 },
  platformInfo: '2000000000000000',
  vmpls: [0],
  chipIds: [],
};

async function snpWorld(ends: Ends): Promise<World> {
  const days = { leafDays: daysOf(ends, 'leaf'), askDays: daysOf(ends, 'ask'), arkDays: daysOf(ends, 'ark') };
  const pki = await createSnpPki({ nowMs: NOW_MS, ...days });
  const device = new SoftwareSnp({ pki, policy: SNP_POLICY });
  return {
    bundle: await makeEvidence(device, { challenges: [OWN], jobId: JOB, keys: KEYS }),
    context: {
      ownChallenge: OWN,
      jobId: JOB,
      nowMs: NOW_MS,
      policy: policyOf('snp', await device.measurement()),
      teePolicy: { snp: SNP_POLICY },
      endorsements: await devSnpEndorsements({ pki, nowMs: NOW_MS, listDays: daysOf(ends, 'crl') }),
      roots: devHardwareRoots({ amd: pemOf(pki.ark) }),
    },
  };
}

/** The document's age is judged at the appraisal, like a challenge's; it ends nothing afterwards. */
const NITRO_POLICY: NitroPolicy = { version: 1, maxAgeMs: 3 * 60 * MINUTE_MS, registers: [] };
const NITRO_PARTS = ['root', 'region', 'zone', 'instance', 'leaf'] as const;

async function nitroWorld(ends: Ends): Promise<World> {
  const changes = Object.fromEntries(NITRO_PARTS.map((name) => [name, { untilDays: daysOf(ends, name) }]));
  const pki = await createNitroPki({ nowMs: NOW_MS, changes });
  const device = new SoftwareNitro({ pki, policy: NITRO_POLICY, nowMs: () => NOW_MS });
  return {
    bundle: await makeEvidence(device, { challenges: [OWN], jobId: JOB, keys: KEYS }),
    context: {
      ownChallenge: OWN,
      jobId: JOB,
      nowMs: NOW_MS,
      policy: policyOf('nitro', await device.measurement()),
      teePolicy: { nitro: NITRO_POLICY },
      roots: devHardwareRoots({ awsNitro: pemOf(pki.root) }),
    },
  };
}

/** The result ends with the first of `ends`, and so does the verdict. */
async function expectToEndWithTheFirst({ bundle, context }: World, ends: Ends): Promise<void> {
  const endMs = NOW_MS + Math.min(...Object.values(ends)) * MINUTE_MS;
  const result = await appraiseEvidence(bundle, context);
  expect(failedChecks(result)).toEqual([]);
  expect(result.claims?.endorsedUntilMs).toBe(endMs);
  expect(result.expiresAtMs).toBe(Math.min(endMs, NOW_MS + context.policy.resultTermMs));
  expect((await appraiseEvidence(bundle, { ...context, nowMs: endMs - 1 })).ok).toBe(true);
  expect((await appraiseEvidence(bundle, { ...context, nowMs: endMs + 1 })).ok).toBe(false);
}

const WORLDS = [
  ['tdx+nv', TDX_GPU_PARTS, tdxGpuWorld],
  ['snp', ['leaf', 'ask', 'ark', 'crl'], snpWorld],
  ['nitro', NITRO_PARTS, nitroWorld],
] as const;
const ROWS = WORLDS.flatMap(([profile, parts, make]) => parts.map((part) => [profile, part, parts, make] as const));

describe('a result ends with the first of all that it rests on', () => {
  it.each(ROWS)('%s: %s', async (_profile, part, parts, make) => {
    const ends = Object.fromEntries(parts.map((name, i) => [name, name === part ? 90 : 120 + i]));
    await expectToEndWithTheFirst(await make(ends), ends);
  });

  it('whatever the ends are', async () => {
    const anEnd = fc.integer({ min: 1, max: 170 });
    const ends = fc.tuple(...TDX_GPU_PARTS.map(() => anEnd));
    await fc.assert(
      fc.asyncProperty(ends, async (minutes) => {
        const of = Object.fromEntries(TDX_GPU_PARTS.map((name, i) => [name, minutes[i]!]));
        await expectToEndWithTheFirst(await tdxGpuWorld(of), of);
      }),
      { numRuns: 5, seed: 20_260_601 },
    );
  });

  it('or with the policy’s term, if that is shorter', async () => {
    const ends = Object.fromEntries(NITRO_PARTS.map((name) => [name, 170]));
    const { bundle, context } = await nitroWorld(ends);
    const policy = { ...context.policy, resultTermMs: 10 * MINUTE_MS };
    const result = await appraiseEvidence(bundle, { ...context, policy });
    expect(result.expiresAtMs).toBe(NOW_MS + 10 * MINUTE_MS);
    expect(result.claims?.endorsedUntilMs).toBe(NOW_MS + 170 * MINUTE_MS);
  });
});
