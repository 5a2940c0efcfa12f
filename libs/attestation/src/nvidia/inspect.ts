import { checkThat, failed, passed, skipped, type Check } from '@usufruct/kernel';
import { zNvidiaPolicy, type NvidiaPolicy } from '../policy/nvidia-policy.js';
import type { Endorsements, GpuClaim } from '../types.js';
import { parseChain, validUntilMs } from '../x509/chain.js';
import { parsePemChain } from '../x509/pem.js';
import * as gpu from './checks.js';
import { deviceIdOf, modelOf } from './device.js';
import { parseGpuReport } from './report.js';
import * as rimChecks from './rim-checks.js';
import { hasDoctype, parseRim, type Rim } from './rim.js';

/** Names of NVIDIA's reference manifests among a verifier's endorsements, by their ids in NVIDIA's RIM service. */
export const NVIDIA_ENDORSEMENTS = {
  rim: (id: string) => `nvidia/rim/${id}.xml`,
  driverRimId: (model: string, version: string) => `NV_GPU_DRIVER_${model}_${version}`,
} as const;

export interface GpuContext {
  readonly nowMs: number;
  /** What each report must have been asked with. */
  readonly nonce: Uint8Array;
  readonly policy: NvidiaPolicy | undefined;
  readonly endorsements: Endorsements;
  /** SHA-256 of the DER of the trusted roots, hex. */
  readonly deviceRoots: readonly string[];
  readonly rimRoots: readonly string[];
}

export interface GpuInspection {
  readonly checks: readonly Check[];
  readonly facts: {
    readonly gpu: GpuClaim;
    /** Of each GPU, in the order of the evidence. */
    readonly deviceIds: readonly string[];
    readonly validUntilMs: number;
  } | null;
}

const DEVICE_CHECKS = ['GPU_SIGNATURE', 'GPU_ROOT', 'GPU_CHAIN', 'GPU_NONCE', 'GPU_FWID', 'GPU_CANNED'] as const;
const POLICY_CHECKS = ['GPU_TOPOLOGY', 'GPU_MODEL', 'GPU_VERSIONS'] as const;
const VALUE_CHECKS = ['RIM_VERSION', 'RIM_MISMATCH'] as const;
const RIM_CHECKS = ['RIM_SIGNATURE', 'RIM_ROOT', 'RIM_CHAIN', 'RIM_EXPIRED', ...VALUE_CHECKS] as const;

/** What must have passed before GPU evidence means anything. Its mode and its bond to the TD are judged elsewhere. */
export const GPU_CHECKS: readonly string[] = [
  'GPU_PARSE',
  'GPU_POLICY',
  ...DEVICE_CHECKS,
  ...POLICY_CHECKS,
  'RIM_DTD',
  'RIM_PARSE',
  ...RIM_CHECKS,
];

/** Every check of the evidence of all GPUs; a check fails if it fails for one of them. */
export async function inspectGpus(evidence: readonly Uint8Array[], context: GpuContext): Promise<GpuInspection> {
  const devices = evidence.map(readDevice).filter((device) => device !== null);
  if (devices.length !== evidence.length || devices.length === 0) {
    const reason = 'the GPU evidence could not be read';
    const rest = GPU_CHECKS.slice(1).map((name) => skipped(name, reason));
    return { checks: [failed('GPU_PARSE', 'not one report and chain for each GPU'), ...rest], facts: null };
  }
  const policy = zNvidiaPolicy.safeParse(context.policy).data;
  const manifests = devices.map((device) => readManifests(device, context.endorsements));
  const checks = [
    passed('GPU_PARSE'),
    checkThat('GPU_POLICY', policy !== undefined, 'there is no sound policy for GPUs'),
    ...(await checkDevices(devices, context)),
    ...checkAgainstPolicy(devices, policy),
    ...(await checkManifests(devices, manifests, context)),
  ];
  const chains = [...devices, ...manifests.flatMap((found) => ('flaw' in found ? [] : [found.driver, found.vbios]))];
  return {
    checks,
    facts: {
      gpu: claimOf(devices),
      deviceIds: devices.map(({ chain }) => deviceIdOf(chain)),
      validUntilMs: Math.min(...chains.map(({ chain }) => validUntilMs(chain))),
    },
  };
}

function readDevice(bytes: Uint8Array): gpu.GpuDevice | null {
  const report = parseGpuReport(bytes);
  const ders = report && parsePemChain(report.chain);
  const chain = ders && parseChain(ders);
  return report === null || chain === null ? null : { report, chain };
}

const claimOf = (devices: readonly gpu.GpuDevice[]): GpuClaim => ({
  devices: devices.map(({ report, chain }) => ({
    model: modelOf(chain),
    driverVersion: report.driverVersion,
    vbiosVersion: report.vbiosVersion,
  })),
});

async function checkDevices(
  devices: readonly gpu.GpuDevice[],
  { nowMs, nonce, deviceRoots }: GpuContext,
): Promise<Check[]> {
  const perDevice = await Promise.all(
    devices.map((device) =>
      Promise.all([
        gpu.checkGpuSignature(device),
        gpu.checkGpuRoot(device, deviceRoots),
        gpu.checkGpuChain(device, nowMs),
        gpu.checkGpuNonce(device, nonce),
        gpu.checkFirmwareId(device),
        gpu.checkNotCanned(device),
      ]),
    ),
  );
  return worstOf(DEVICE_CHECKS, perDevice);
}

/** One check for each name: the first that failed for a GPU, with its number, or that it passed for all. */
const worstOf = (names: readonly string[], perDevice: readonly (readonly Check[])[]): Check[] =>
  names.map((name) => {
    const found = perDevice.map((checks) => checks.find((check) => check.name === name));
    const bad = found.findIndex((check) => check?.status !== 'passed');
    return bad < 0 ? passed(name) : failed(name, `GPU ${bad}: ${found[bad]?.detail ?? 'not judged'}`);
  });

function checkAgainstPolicy(devices: readonly gpu.GpuDevice[], policy: NvidiaPolicy | undefined): Check[] {
  if (policy === undefined) return POLICY_CHECKS.map((name) => skipped(name, 'there is no policy'));
  return [
    gpu.checkTopology(devices, policy.count),
    checkThat(
      'GPU_MODEL',
      devices.every(({ chain }) => policy.models.includes(modelOf(chain))),
      "a GPU's model is not in the policy",
    ),
    checkThat(
      'GPU_VERSIONS',
      devices.every(
        ({ report }) =>
          policy.driverVersions.includes(report.driverVersion) && policy.vbiosVersions.includes(report.vbiosVersion),
      ),
      "a driver's or a VBIOS's version is not in the policy",
    ),
  ];
}

type Manifests = { readonly driver: Rim; readonly vbios: Rim } | { readonly flaw: Check };

function readManifests({ report, chain }: gpu.GpuDevice, endorsements: Endorsements): Manifests {
  const driver = readManifest(NVIDIA_ENDORSEMENTS.driverRimId(modelOf(chain), report.driverVersion), endorsements);
  const vbios = readManifest(report.vbiosRimId, endorsements);
  if ('flaw' in driver) return driver;
  return 'flaw' in vbios ? vbios : { driver, vbios };
}

function readManifest(id: string, endorsements: Endorsements): Rim | { readonly flaw: Check } {
  const name = NVIDIA_ENDORSEMENTS.rim(id);
  const bytes = endorsements[name];
  if (bytes === undefined) return { flaw: failed('RIM_PARSE', `${name} is missing`) };
  if (hasDoctype(bytes)) return { flaw: failed('RIM_DTD', `${name} has a document type`) };
  return parseRim(bytes) ?? { flaw: failed('RIM_PARSE', `${name} is malformed`) };
}

async function checkManifests(
  devices: readonly gpu.GpuDevice[],
  manifests: readonly Manifests[],
  { nowMs, rimRoots }: GpuContext,
): Promise<Check[]> {
  const flaw = manifests.map((found) => ('flaw' in found ? found.flaw : null)).find((check) => check !== null);
  if (flaw) {
    const names = ['RIM_DTD', 'RIM_PARSE', ...RIM_CHECKS].filter((name) => name !== flaw.name);
    return [flaw, ...names.map((name) => skipped(name, 'a manifest could not be read'))];
  }
  const perDevice = await Promise.all(
    manifests.map(async (found, i) => {
      const { report, chain } = devices[i]!;
      if ('flaw' in found) return [];
      const both = [found.driver, found.vbios];
      return [
        await rimChecks.checkRimSignature(both),
        rimChecks.checkRimRoot(both, rimRoots),
        await rimChecks.checkRimChain(both),
        rimChecks.checkRimValidity(both, nowMs),
        rimChecks.checkRimVersions(found.driver, found.vbios, report, modelOf(chain)),
        rimChecks.checkRimValues(both, report),
      ];
    }),
  );
  return [passed('RIM_DTD'), passed('RIM_PARSE'), ...worstOf(RIM_CHECKS, perDevice)];
}
