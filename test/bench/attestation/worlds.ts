import {
  devHardwareRoots,
  makeEvidence,
  type AppraisalContext,
  type NvidiaPolicy,
  type SnpPolicy,
  type TdxPolicy,
} from '@usufruct/attestation';
import {
  createNvidiaPki,
  createSnpPki,
  createTdxPki,
  DEV_GPU,
  devNvidiaEndorsements,
  devSnpEndorsements,
  devTdxEndorsements,
  pemOf,
  SoftwareGpu,
  SoftwareSnp,
  SoftwareTd,
} from '@usufruct/attestation-dev';
import { toHex32, type Hex32 } from '@usufruct/kernel';
import type { EvidenceBundle, EvidenceProfile } from '@usufruct/protocol';

/** Evidence in the real formats under keys of its own, and all that a verifier has for it. */
export interface World {
  readonly bundle: EvidenceBundle;
  readonly context: AppraisalContext;
  /** DER of the root that its processor's evidence ends in. */
  readonly root: Uint8Array;
}

export const NOW_MS = Date.UTC(2026, 5, 1);
const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const JOB = toHex32<Hex32>(bytes(7));
const OWN = bytes(1);
const REQUEST = {
  challenges: [OWN, bytes(2)],
  jobId: JOB,
  keys: { hpkePublicKey: bytes(21), signingPublicKey: bytes(22) },
};
const TDX: TdxPolicy = {
  version: 1,
  tcbStatuses: ['UpToDate'],
  advisories: [],
  minTcbEvaluationDataNumber: 18,
  ppids: [],
  tdAttributesAllowed: '0000000000000000',
  xfams: ['e702060000000000'],
  requiredEvents: [],
};
const SNP: SnpPolicy = {
  version: 1,
  products: ['Milan'],
  permissions: ['SMT'],
  minTcb: { fmc: 0, bootloader: 4, tee: 0, snp: 24, microcode: 219 },
  platformInfo: '2000000000000000',
  vmpls: [0],
  chipIds: [],
};

const contextOf = (
  profile: EvidenceProfile,
  measurement: string,
  rest: Pick<AppraisalContext, 'teePolicy' | 'endorsements' | 'roots'>,
): AppraisalContext => ({
  ownChallenge: OWN,
  jobId: JOB,
  nowMs: NOW_MS,
  policy: { version: 1, profiles: [profile], measurements: [measurement], resultTermMs: 600_000 },
  ...rest,
});

export async function tdxWorld(): Promise<World> {
  const pki = await createTdxPki(NOW_MS);
  const device = await SoftwareTd.create({ pki, policy: TDX });
  const context = contextOf('tdx', await device.measurement(), {
    teePolicy: { tdx: TDX },
    endorsements: await devTdxEndorsements({ pki, nowMs: NOW_MS }),
    roots: devHardwareRoots({ intel: pemOf(pki.root) }),
  });
  return { bundle: await makeEvidence(device, REQUEST), context, root: pki.root.der };
}

/** One TD with so many GPUs, each with an identity of its own. */
export async function gpuWorld(count: number): Promise<World> {
  const [pki, nvidia] = await Promise.all([createTdxPki(NOW_MS), createNvidiaPki(NOW_MS)]);
  const devices = await Promise.all(Array.from({ length: count }, () => SoftwareGpu.create(nvidia, NOW_MS)));
  const policy: NvidiaPolicy = {
    version: 1,
    count,
    models: ['GH100'],
    driverVersions: [DEV_GPU.driverVersion],
    vbiosVersions: ['96.00.5E.00.01'],
    revocation: 'if-known',
  };
  const device = await SoftwareTd.create({ pki, policy: TDX, gpus: { policy, devices } });
  const context = contextOf('tdx+nv', await device.measurement(), {
    teePolicy: { tdx: TDX, nvidia: policy },
    endorsements: { ...(await devTdxEndorsements({ pki, nowMs: NOW_MS })), ...(await devNvidiaEndorsements(nvidia)) },
    roots: devHardwareRoots({
      intel: pemOf(pki.root),
      nvidiaDevice: pemOf(nvidia.deviceRoot),
      nvidiaRim: pemOf(nvidia.rim[3]),
    }),
  });
  return { bundle: await makeEvidence(device, REQUEST), context, root: pki.root.der };
}

export async function snpWorld(): Promise<World> {
  const pki = await createSnpPki({ nowMs: NOW_MS });
  const device = new SoftwareSnp({ pki, policy: SNP });
  const context = contextOf('snp', await device.measurement(), {
    teePolicy: { snp: SNP },
    endorsements: await devSnpEndorsements({ pki, nowMs: NOW_MS }),
    roots: devHardwareRoots({ amd: pemOf(pki.ark) }),
  });
  return { bundle: await makeEvidence(device, REQUEST), context, root: pki.ark.der };
}
