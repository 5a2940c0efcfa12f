import { refuse } from '@usufruct/kernel';
import { readSettings, type Environment } from '@usufruct/service';
import { z } from 'zod';

const zPath = z.string().regex(/^\/[^\0]*$/);

/** Where this runner's evidence comes from, and nothing that another device would need: a second one is ambiguous. */
export type DeviceConfig =
  | { readonly device: 'software'; readonly devDir: string }
  | {
      readonly device: 'dstack';
      readonly hardware: HardwareConfig;
      readonly socket: string;
    }
  | {
      readonly device: 'configfs-tsm';
      readonly hardware: HardwareConfig;
      readonly reportDir: string;
      readonly measurementsDir: string;
      readonly eventLogFile: string;
      readonly snpCertificateFile: string | undefined;
    };

export interface HardwareConfig {
  /** JSON of the policy that the approved measurement was computed under. */
  readonly policyFile: string;
  /** 32 bytes; undefined: the image is measured by what started it alone. */
  readonly imageDigest: string | undefined;
  readonly nvidia: { readonly nvattest: string; readonly nvidiaSmi: string } | undefined;
}

const zDevice = z.object({
  TEE_DEVICE: z.enum(['software', 'dstack', 'configfs-tsm']),
  TEE_GPU: z.enum(['none', 'nvidia']).default('none'),
  TEE_DEV_DIR: z.string().min(1).optional(),
  TEE_POLICY_FILE: zPath.optional(),
  IMAGE_DIGEST: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional(),
  DSTACK_SOCKET: zPath.optional(),
  TSM_REPORT_DIR: zPath.optional(),
  TSM_MEASUREMENTS_DIR: zPath.optional(),
  TEE_EVENT_LOG_FILE: zPath.optional(),
  SNP_CERTIFICATE_FILE: zPath.optional(),
  NVATTEST: zPath.optional(),
  NVIDIA_SMI: zPath.optional(),
});
type Settings = z.output<typeof zDevice>;
type Setting = keyof Settings;

const HARDWARE: readonly Setting[] = ['TEE_POLICY_FILE', 'IMAGE_DIGEST'];
/** Settings that mean something for one device only. */
const OF_DEVICE: Readonly<Record<Settings['TEE_DEVICE'], readonly Setting[]>> = {
  software: ['TEE_DEV_DIR'],
  dstack: [...HARDWARE, 'DSTACK_SOCKET'],
  'configfs-tsm': [...HARDWARE, 'TSM_REPORT_DIR', 'TSM_MEASUREMENTS_DIR', 'TEE_EVENT_LOG_FILE', 'SNP_CERTIFICATE_FILE'],
};
const OF_GPU: readonly Setting[] = ['NVATTEST', 'NVIDIA_SMI'];

/** Refuses `CONFIG_INVALID` with the name of the first setting that is bad, missing, or another device's. */
export function readDeviceConfig(environment: Environment): DeviceConfig {
  const env = readSettings(zDevice, environment);
  refuseOthers(env);
  if (env.TEE_DEVICE === 'software') return { device: 'software', devDir: needed(env, 'TEE_DEV_DIR') };
  const hardware = {
    policyFile: needed(env, 'TEE_POLICY_FILE'),
    imageDigest: env.IMAGE_DIGEST?.slice('sha256:'.length),
    nvidia: env.TEE_GPU === 'none' ? undefined : toolsOf(env),
  };
  if (env.TEE_DEVICE === 'dstack') {
    return { device: 'dstack', hardware, socket: env.DSTACK_SOCKET ?? '/var/run/dstack.sock' };
  }
  return {
    device: 'configfs-tsm',
    hardware,
    reportDir: env.TSM_REPORT_DIR ?? '/sys/kernel/config/tsm/report',
    measurementsDir: env.TSM_MEASUREMENTS_DIR ?? '/sys/devices/virtual/misc/tdx_guest/measurements',
    eventLogFile: env.TEE_EVENT_LOG_FILE ?? '/run/usufruct/runtime-events.json',
    snpCertificateFile: env.SNP_CERTIFICATE_FILE,
  };
}

function refuseOthers(env: Settings): void {
  const known = new Set([...OF_DEVICE[env.TEE_DEVICE], ...(env.TEE_GPU === 'nvidia' ? OF_GPU : [])]);
  const all = [...Object.values(OF_DEVICE).flat(), ...OF_GPU];
  const stray = all.find((setting) => env[setting] !== undefined && !known.has(setting));
  const isGpuAlone = env.TEE_DEVICE === 'software' && env.TEE_GPU !== 'none';
  if (stray === undefined && !isGpuAlone) return;
  const setting = stray ?? 'TEE_GPU';
  throw refuse('CONFIG_INVALID', { setting, expected: `nothing: it means nothing with TEE_DEVICE=${env.TEE_DEVICE}` });
}

const toolsOf = ({ NVATTEST, NVIDIA_SMI }: Settings): { nvattest: string; nvidiaSmi: string } => ({
  nvattest: NVATTEST ?? '/usr/bin/nvattest',
  nvidiaSmi: NVIDIA_SMI ?? '/usr/bin/nvidia-smi',
});

function needed(env: Settings, setting: Setting): string {
  const value = env[setting];
  if (value === undefined) throw refuse('CONFIG_INVALID', { setting });
  return value;
}
