import { refuse } from '@usufruct/kernel';
import { readSettings, zUrl, type Environment } from '@usufruct/service';
import { z } from 'zod';

/** A service key goes along, so only to whom TLS vouches for, or to this machine. */
const zNrasUrl = zUrl.refine((text) => {
  const { protocol, hostname, search, hash } = new URL(text);
  const isSafe = protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  return isSafe && search + hash === '';
});
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
    }
  | { readonly device: 'nitro'; readonly hardware: HardwareConfig; readonly nsmHelper: string };

export interface HardwareConfig {
  /** JSON of the policy that the approved measurement was computed under. */
  readonly policyFile: string;
  /** 32 bytes; undefined: the image is measured by what started it alone. */
  readonly imageDigest: string | undefined;
  readonly nvidia: NvidiaConfig | undefined;
}

export interface NvidiaConfig {
  readonly nvattest: string;
  readonly nvidiaSmi: string;
  /** Whom to ask for a token; undefined: nobody. */
  readonly nras: { readonly url: string; readonly serviceKey: string | undefined } | undefined;
}

const zDevice = z.object({
  TEE_DEVICE: z.enum(['software', 'dstack', 'configfs-tsm', 'nitro']),
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
  NSM_HELPER: zPath.optional(),
  NVATTEST: zPath.optional(),
  NVIDIA_SMI: zPath.optional(),
  NRAS_URL: zNrasUrl.optional(),
  NRAS_SERVICE_KEY: z
    .string()
    .regex(/^[!-~]{1,4096}$/)
    .optional(),
});
type Settings = z.output<typeof zDevice>;
type Setting = keyof Settings;

const HARDWARE: readonly Setting[] = ['TEE_POLICY_FILE', 'IMAGE_DIGEST'];
/** Settings that mean something for one device only. */
const OF_DEVICE: Readonly<Record<Settings['TEE_DEVICE'], readonly Setting[]>> = {
  software: ['TEE_DEV_DIR'],
  dstack: [...HARDWARE, 'DSTACK_SOCKET'],
  'configfs-tsm': [...HARDWARE, 'TSM_REPORT_DIR', 'TSM_MEASUREMENTS_DIR', 'TEE_EVENT_LOG_FILE', 'SNP_CERTIFICATE_FILE'],
  // No image digest: an enclave has no register that it could be measured into.
  nitro: ['TEE_POLICY_FILE', 'NSM_HELPER'],
};
const OF_GPU: readonly Setting[] = ['NVATTEST', 'NVIDIA_SMI', 'NRAS_URL', 'NRAS_SERVICE_KEY'];

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
  if (env.TEE_DEVICE === 'nitro') {
    return { device: 'nitro', hardware, nsmHelper: env.NSM_HELPER ?? '/usr/bin/nsm-pipe' };
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
  const isGpuAlone = ['software', 'nitro'].includes(env.TEE_DEVICE) && env.TEE_GPU !== 'none';
  if (stray === undefined && !isGpuAlone) return;
  const setting = stray ?? 'TEE_GPU';
  throw refuse('CONFIG_INVALID', { setting, expected: `nothing: it means nothing with TEE_DEVICE=${env.TEE_DEVICE}` });
}

function toolsOf({ NVATTEST, NVIDIA_SMI, NRAS_URL: url, NRAS_SERVICE_KEY: serviceKey }: Settings): NvidiaConfig {
  if (url === undefined && serviceKey !== undefined) throw refuse('CONFIG_INVALID', { setting: 'NRAS_URL' });
  return {
    nvattest: NVATTEST ?? '/usr/bin/nvattest',
    nvidiaSmi: NVIDIA_SMI ?? '/usr/bin/nvidia-smi',
    nras: url === undefined ? undefined : { url, serviceKey },
  };
}

function needed(env: Settings, setting: Setting): string {
  const value = env[setting];
  if (value === undefined) throw refuse('CONFIG_INVALID', { setting });
  return value;
}
