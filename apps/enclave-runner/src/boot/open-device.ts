import { zTeePolicy, type TeeDevice, type TeePolicy } from '@usufruct/attestation';
import { fromHex, refuse, toUsufructError, type Logger, type RandomSource } from '@usufruct/kernel';
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { configfsCpu } from '../attest/devices/configfs-tsm.js';
import { dstackClient } from '../attest/devices/dstack-client.js';
import { dstackCpu } from '../attest/devices/dstack.js';
import { kernelFiles } from '../attest/devices/guest-files.js';
import { openHardwareDevice, type HardwareOptions, type MeasuredModel } from '../attest/devices/hardware-device.js';
import { openKernelRegister } from '../attest/devices/kernel-register.js';
import { nitroCpu } from '../attest/devices/nitro.js';
import { nrasTokens } from '../attest/devices/nras.js';
import { nvidiaTools } from '../attest/devices/nvidia.js';
import type { CpuDevice } from '../attest/devices/ports.js';
import type { DeviceConfig, NvidiaConfig } from './device-config.js';
import { openSoftwareTee } from './software-tee.js';

export interface OpenedDevice {
  readonly device: TeeDevice;
  /** What must be said about it wherever it shows; null for hardware. */
  readonly banner: string | null;
}

/** What a device may use of the world around it. */
export interface Surroundings {
  readonly random: RandomSource;
  readonly fetch: typeof globalThis.fetch;
  readonly logger: Logger;
  /** Measured before the first evidence leaves. */
  readonly models?: readonly MeasuredModel[];
}

/** The one device that the configuration names. Refuses `CONFIG_INVALID` and what the device refuses. */
export async function openDevice(config: DeviceConfig, surroundings: Surroundings): Promise<OpenedDevice> {
  const { random, models } = surroundings;
  if (config.device === 'software') return openSoftwareTee(config.devDir, models);
  const { policyFile, imageDigest, nvidia } = config.hardware;
  const policy = await readPolicy(policyFile);
  const device = await openHardwareDevice({
    cpu: await openCpu(config, random),
    policy,
    random,
    ...(nvidia === undefined ? {} : await openGpus(nvidia, policy, surroundings)),
    ...(models === undefined ? {} : { models }),
    ...(imageDigest === undefined ? {} : { imageDigest: fromHex(imageDigest) }),
  });
  return { device, banner: null };
}

async function openGpus(
  { nvattest, nvidiaSmi, nras }: NvidiaConfig,
  policy: TeePolicy,
  { fetch, logger }: Surroundings,
): Promise<Pick<HardwareOptions, 'gpus' | 'tokens' | 'onTokenMissing'>> {
  await requireTool(nvattest, 'NVATTEST');
  await requireTool(nvidiaSmi, 'NVIDIA_SMI');
  const gpus = nvidiaTools({ nvattest, nvidiaSmi, hasSwitches: policy.nvidia?.switches !== undefined });
  if (nras === undefined) return { gpus };
  const onTokenMissing = (error: unknown): void =>
    logger.warn('attest.token_missing', { ...toUsufructError(error).toWire() });
  return { gpus, tokens: nrasTokens({ ...nras, fetch }), onTokenMissing };
}

/** An image without NVIDIA's tools is told from a tool that fails: nobody needs to try again. */
async function requireTool(file: string, setting: string): Promise<void> {
  try {
    await access(file, constants.X_OK);
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting, expected: `NVIDIA's tool: ${file} cannot be run` }, cause);
  }
}

async function openCpu(
  config: Exclude<DeviceConfig, { device: 'software' }>,
  random: RandomSource,
): Promise<CpuDevice> {
  if (config.device === 'dstack') return dstackCpu(dstackClient(config.socket));
  if (config.device === 'nitro') return nitroCpu({ helper: config.nsmHelper });
  const { reportDir, measurementsDir, eventLogFile: logFile, snpCertificateFile } = config;
  await mkdir(dirname(logFile), { recursive: true, mode: 0o700 });
  const snpCertificate = snpCertificateFile === undefined ? undefined : await readSetting(snpCertificateFile);
  return configfsCpu({
    files: kernelFiles,
    random,
    reportDir,
    register: await openKernelRegister({ files: kernelFiles, measurementsDir, logFile }),
    ...(snpCertificate === undefined ? {} : { snpCertificate }),
  });
}

async function readSetting(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting: 'SNP_CERTIFICATE_FILE', expected: 'a readable file' }, cause);
  }
}

async function readPolicy(file: string): Promise<TeePolicy> {
  try {
    return zTeePolicy.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting: 'TEE_POLICY_FILE', expected: 'a policy for this hardware' }, cause);
  }
}
