import { checkThat, failed, passed, skipped, type Check } from '@usufruct/kernel';
import { zNvidiaPolicy, type NvidiaPolicy } from '../policy/nvidia-policy.js';
import type { Endorsements, GpuClaim } from '../types.js';
import { readPemChain, validUntilMs } from '../x509/chain.js';
import * as gpu from './checks.js';
import { deviceIdOf, isSwitch, modelOf } from './device.js';
import { parseExchange } from './exchange.js';
import {
  checkManifests,
  MANIFEST_CHECKS,
  readGpuManifests,
  readSwitchManifests,
  rimsOf,
  type Described,
} from './manifests.js';
import { readGpuReport } from './report.js';
import { checkRevocations } from './revocation.js';
import { readSwitchReport } from './switch-report.js';
import { checkToken } from './token-checks.js';
import * as topology from './topology.js';
import { worstOf } from './worst.js';

export interface GpuContext {
  readonly nowMs: number;
  /** What each report must have been asked with. */
  readonly nonce: Uint8Array;
  readonly policy: NvidiaPolicy | undefined;
  readonly endorsements: Endorsements;
  /** SHA-256 of the DER of the trusted roots, hex. */
  readonly deviceRoots: readonly string[];
  readonly rimRoots: readonly string[];
  /** What NVIDIA's attestation service said, as the bundle has it. */
  readonly token?: unknown;
  readonly isTokenLeftToOthers?: boolean | undefined;
}

export interface GpuInspection {
  readonly checks: readonly Check[];
  readonly facts: {
    readonly gpu: GpuClaim;
    /** Of each device, GPU or NVSwitch, in the order of the evidence. */
    readonly deviceIds: readonly string[];
    readonly validUntilMs: number;
  } | null;
}

const DEVICE_CHECKS = ['GPU_SIGNATURE', 'GPU_ROOT', 'GPU_CHAIN', 'GPU_NONCE', 'GPU_FWID', 'GPU_CANNED'] as const;
const POLICY_CHECKS = ['GPU_TOPOLOGY', 'GPU_MODEL', 'GPU_VERSIONS', 'SWITCH_TOPOLOGY', 'SWITCH_VERSIONS'] as const;

/** What must have passed before GPU evidence means anything. Its mode and its bond to the TD are judged elsewhere. */
export const GPU_CHECKS: readonly string[] = [
  'GPU_PARSE',
  'GPU_POLICY',
  ...DEVICE_CHECKS,
  'SWITCH_PDI',
  ...POLICY_CHECKS,
  ...MANIFEST_CHECKS,
];

/** What is shown, apart by what it is; `all` in the order of the evidence. */
interface Shown {
  readonly all: readonly (gpu.GpuDevice | gpu.SwitchDevice)[];
  readonly gpus: readonly gpu.GpuDevice[];
  readonly switches: readonly gpu.SwitchDevice[];
}

/** Every check of the evidence of all GPUs and NVSwitches; a check fails if it fails for one of them. */
export async function inspectGpus(evidence: readonly Uint8Array[], context: GpuContext): Promise<GpuInspection> {
  const shown = readDevices(evidence);
  if (shown === null) {
    const reason = 'the GPU evidence could not be read';
    const rest = GPU_CHECKS.slice(1).map((name) => skipped(name, reason));
    return { checks: [failed('GPU_PARSE', 'not one report and chain for each GPU'), ...rest], facts: null };
  }
  const { nowMs, endorsements } = context;
  const policy = zNvidiaPolicy.safeParse(context.policy).data;
  const described = describeDevices(shown, endorsements);
  const rimChains = described.flatMap(({ manifests }) =>
    'flaw' in manifests ? [] : rimsOf(manifests).map(({ chain }) => chain),
  );
  const chains = { devices: shown.all.map(({ chain }) => chain), manifests: rimChains };
  const [deviceChecks, manifestChecks, revocation, token] = await Promise.all([
    checkDevices(shown, context),
    checkManifests(described, context),
    checkRevocations(chains, endorsements, { policy, nowMs }),
    checkToken(shown.all, { ...context, policy }),
  ]);
  const checks = [
    passed('GPU_PARSE'),
    checkThat('GPU_POLICY', policy !== undefined, 'there is no sound policy for GPUs'),
    ...deviceChecks,
    topology.checkSwitchNames(shown.switches),
    topology.checkLinks(shown.gpus, shown.switches),
    ...checkAgainstPolicy(shown, policy),
    ...manifestChecks,
    ...revocation.checks,
    ...token.checks,
  ];
  const chainsUntilMs = [...chains.devices, ...chains.manifests].map(validUntilMs);
  const untilMs = Math.min(...chainsUntilMs, revocation.untilMs, token.untilMs);
  const deviceIds = shown.all.map(({ chain }) => deviceIdOf(chain));
  return { checks, facts: { gpu: claimOf(shown), deviceIds, validUntilMs: untilMs } };
}

/** Null unless each item is the report of a device with its chain, and one of them is a GPU. Nothing is judged yet. */
export function readDevices(evidence: readonly Uint8Array[]): Shown | null {
  const [all, gpus, switches] = [[], [], []] as [Shown['all'][number][], gpu.GpuDevice[], gpu.SwitchDevice[]];
  for (const bytes of evidence) {
    const exchange = parseExchange(bytes);
    const chain = readPemChain(exchange?.chain);
    if (exchange === null || chain === null) return null;
    if (isSwitch(chain)) {
      const report = readSwitchReport(exchange);
      if (report === null) return null;
      switches.push({ report, chain });
      all.push({ report, chain });
    } else {
      const report = readGpuReport(exchange);
      if (report === null) return null;
      gpus.push({ report, chain });
      all.push({ report, chain });
    }
  }
  return gpus.length === 0 ? null : { all, gpus, switches };
}

const claimOf = ({ gpus, switches }: Shown): GpuClaim => ({
  devices: gpus.map(({ report, chain }) => ({
    model: modelOf(chain),
    driverVersion: report.driverVersion,
    vbiosVersion: report.vbiosVersion,
  })),
  switches: switches.map(({ report, chain }) => ({ model: modelOf(chain), biosVersion: report.biosVersion })),
});

const describeDevices = ({ gpus, switches }: Shown, endorsements: Endorsements): Described[] => [
  ...gpus.map((device) => ({
    device,
    driverVersion: device.report.driverVersion,
    firmwareVersion: device.report.vbiosVersion,
    manifests: readGpuManifests(device, endorsements),
  })),
  ...switches.map((device) => ({
    device,
    driverVersion: null,
    firmwareVersion: device.report.biosVersion,
    manifests: readSwitchManifests(device, endorsements),
  })),
];

async function checkDevices({ all }: Shown, { nowMs, nonce, deviceRoots }: GpuContext): Promise<Check[]> {
  const perDevice = await Promise.all(
    all.map((device) =>
      Promise.all([
        gpu.checkGpuSignature(device),
        gpu.checkGpuRoot(device, deviceRoots),
        gpu.checkGpuChain(device, nowMs),
        gpu.checkGpuNonce(device, nonce),
        isSwitch(device.chain) ? gpu.checkSwitchFirmware(device) : gpu.checkFirmwareId(device),
        gpu.checkNotCanned(device),
      ]),
    ),
  );
  return worstOf(DEVICE_CHECKS, perDevice);
}

function checkAgainstPolicy({ gpus, switches }: Shown, policy: NvidiaPolicy | undefined): Check[] {
  if (policy === undefined) return POLICY_CHECKS.map((name) => skipped(name, 'there is no policy'));
  return [
    topology.checkTopology(gpus, policy.count),
    checkThat(
      'GPU_MODEL',
      gpus.every(({ chain }) => policy.models.includes(modelOf(chain))),
      "a GPU's model is not in the policy",
    ),
    checkThat(
      'GPU_VERSIONS',
      gpus.every(
        ({ report }) =>
          policy.driverVersions.includes(report.driverVersion) && policy.vbiosVersions.includes(report.vbiosVersion),
      ),
      "a driver's or a VBIOS's version is not in the policy",
    ),
    topology.checkSwitchTopology(switches, policy),
    topology.checkSwitchPolicy(switches, policy),
  ];
}
