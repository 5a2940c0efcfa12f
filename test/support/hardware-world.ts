import { afterAll, beforeAll } from '@jest/globals';
import {
  appraiseEvidence,
  devHardwareRoots,
  makeEvidence,
  TDX_ENDORSEMENTS,
  type AppraisalContext,
  type NvidiaPolicy,
  type SnpPolicy,
  type TeeDevice,
} from '@usufruct/attestation';
import {
  createNvidiaPki,
  createSnpPki,
  DEV_GPU,
  DEV_PLATFORM,
  devNvidiaEndorsements,
  devSnpEndorsements,
  pemOf,
  SoftwareGpu,
  type NvidiaPki,
  type SnpPki,
} from '@usufruct/attestation-dev';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  bytes,
  chainPolicyOf,
  context as tdxContext,
  JOB,
  KEYS,
  NOW_MS,
  OWN,
  pki,
  POLICY,
  SECOND,
  startTdxWorld,
} from './tdx-world.js';
import { writeNvidiaTools, type FakeTools } from './tee-guest.js';

/* A machine with two GPUs and everything that a verifier needs to judge it, under generated roots. */

export const IMAGE = bytes(5);
export const NVIDIA_POLICY: NvidiaPolicy = {
  version: 1,
  count: 2,
  models: ['GH100'],
  driverVersions: [DEV_GPU.driverVersion],
  vbiosVersions: ['96.00.5E.00.01'],
  revocation: 'if-known',
};
export const SNP_POLICY: SnpPolicy = {
  version: 1,
  products: ['Milan'],
  permissions: ['SMT'],
  minTcb: { fmc: 0, bootloader: 4, tee: 0, snp: 24, microcode: 219 },
  platformInfo: '2000000000000000',
  vmpls: [0],
  chipIds: [],
};

export let directory: string;
export let nvidia: NvidiaPki;
export let snp: SnpPki;
export let gpus: SoftwareGpu[];
export let tools: FakeTools;
/** Judges evidence of every kind that this machine makes. */
export let context: AppraisalContext;
/** Closed after the last test of the file. */
export const servers: { close(): unknown }[] = [];

/** Once for all the tests of a file. */
export function useHardware(): void {
  beforeAll(startHardware);
  afterAll(() => {
    for (const server of servers) server.close();
    rmSync(directory, { recursive: true, force: true });
  });
}

async function startHardware(): Promise<void> {
  directory = mkdtempSync(join(tmpdir(), 'tee-'));
  await startTdxWorld();
  [nvidia, snp] = await Promise.all([createNvidiaPki(NOW_MS), createSnpPki({ nowMs: NOW_MS })]);
  gpus = await Promise.all([SoftwareGpu.create(nvidia, NOW_MS), SoftwareGpu.create(nvidia, NOW_MS)]);
  tools = await writeNvidiaTools(directory, gpus);
  servers.push(tools.server);
  context = {
    ...tdxContext,
    teePolicy: { tdx: POLICY, nvidia: NVIDIA_POLICY, snp: SNP_POLICY },
    endorsements: {
      ...tdxContext.endorsements,
      ...(await devNvidiaEndorsements(nvidia)),
      ...(await devSnpEndorsements({ pki: snp, nowMs: NOW_MS })),
    },
    roots: devHardwareRoots({
      intel: pemOf(pki.root),
      amd: pemOf(snp.ark),
      nvidiaDevice: pemOf(nvidia.deviceRoot),
      nvidiaRim: pemOf(nvidia.rim[3]),
    }),
  };
}

/** Evidence of a device, and what the real verifier says of it where its measurement is approved. */
export const appraised = async (device: TeeDevice, changes: Partial<AppraisalContext> = {}) => {
  const bundle = await makeEvidence(device, { challenges: [OWN, SECOND], jobId: JOB, keys: KEYS });
  const policy = { ...chainPolicyOf(await device.measurement()), profiles: [device.profile] };
  return { bundle, result: await appraiseEvidence(bundle, { ...context, policy, ...changes }) };
};

/** The endorsements of this machine as a verifier's folder holds them: each under its name, its issuers beside it. */
export function writeEndorsements(folder: string): void {
  const write = (name: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  for (const [name, content] of Object.entries(context.endorsements ?? {})) write(name, content);
  const { tcbInfo, qeIdentity, rootCrl, pckCrl } = TDX_ENDORSEMENTS;
  const signed = pemOf(pki.tcbSigning, pki.root);
  write(`${tcbInfo(DEV_PLATFORM.fmspc)}.issuers.pem`, signed);
  write(`${qeIdentity}.issuers.pem`, signed);
  write(`${rootCrl}.issuers.pem`, pemOf(pki.root));
  write(`${pckCrl('platform')}.issuers.pem`, pemOf(pki.platformCa, pki.root));
}

/** Generated roots in place of the vendors', as a setting's file holds them. */
export const hardwareRootsJson = (): string =>
  JSON.stringify({
    intel: pemOf(pki.root),
    nvidiaDevice: pemOf(nvidia.deviceRoot),
    nvidiaRim: pemOf(nvidia.rim[3]),
  });
