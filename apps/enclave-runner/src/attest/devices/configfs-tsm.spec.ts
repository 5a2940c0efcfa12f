import { describe, expect, it } from '@jest/globals';
import { failedChecks, snpMeasurement } from '@usufruct/attestation';
import { signSnpEvidence } from '@usufruct/attestation-dev';
import { concatBytes, fromHex, fromUtf8, systemRandom, u32le, utf8 } from '@usufruct/kernel';
import { join } from 'node:path';
import {
  appraised,
  directory,
  IMAGE,
  NVIDIA_POLICY,
  snp,
  SNP_POLICY,
  tools,
  useHardware,
} from '../../../../../test/support/hardware-world.js';
import { bytes, pki, POLICY as TDX_POLICY } from '../../../../../test/support/tdx-world.js';
import { ExtensibleTd, MEASUREMENTS_DIR, REPORT_DIR, TsmKernel } from '../../../../../test/support/tee-guest.js';
import { configfsCpu } from './configfs-tsm.js';
import { kernelFiles } from './guest-files.js';
import { openHardwareDevice } from './hardware-device.js';
import { openKernelRegister } from './kernel-register.js';
import { nvidiaTools } from './nvidia.js';
import { endorsementKeyOf } from './snp-certificates.js';

useHardware();

const LOG_FILE = '/run/usufruct/runtime-events.json';
const tdKernel = (td: ExtensibleTd, options: Partial<TsmKernel['options']> = {}) =>
  new TsmKernel({ provider: 'tdx_guest', report: (data) => td.quote(data), td, ...options });
const cpuOf = async (kernel: TsmKernel, options: { snpCertificate?: Uint8Array } = {}) =>
  configfsCpu({
    files: kernel,
    random: systemRandom,
    reportDir: REPORT_DIR,
    register: await openKernelRegister({ files: kernel, measurementsDir: MEASUREMENTS_DIR, logFile: LOG_FILE }),
    pause: () => Promise.resolve(),
    ...options,
  });
const openTd = async (kernel: TsmKernel) =>
  openHardwareDevice({
    cpu: await cpuOf(kernel),
    policy: { tdx: TDX_POLICY },
    imageDigest: IMAGE,
    random: systemRandom,
  });

describe("Linux's configfs-tsm on TDX", () => {
  it('makes evidence that the real verifier accepts, and leaves no directory behind', async () => {
    const kernel = tdKernel(new ExtensibleTd(pki));
    const { result } = await appraised(await openTd(kernel));
    expect(failedChecks(result)).toEqual([]);
    expect(result.claims?.profile).toBe('tdx');
    expect(kernel.reports.size).toBe(0);
  });

  it('survives a restart of the process, and a kill between log and register', async () => {
    const td = new ExtensibleTd(pki);
    const kernel = tdKernel(td);
    kernel.isRegisterDead = true;
    await expect(openTd(kernel)).rejects.toThrow();
    expect(fromUtf8(kernel.files.get(LOG_FILE)!)).toContain('image-digest');
    kernel.isRegisterDead = false;
    await openTd(kernel);
    const { result } = await appraised(await openTd(kernel));
    expect(td.log).toHaveLength(1);
    expect(result.ok).toBe(true);
  });

  it.each([
    ['others extended the register', async (td: ExtensibleTd) => td.extend('x', bytes(1))],
    ['the log is not ours', async (_td: ExtensibleTd, kernel: TsmKernel) => kernel.write(LOG_FILE, utf8('{}'))],
  ])('refuses to start when %s', async (_name, change) => {
    const td = new ExtensibleTd(pki);
    const kernel = tdKernel(td);
    await change(td, kernel);
    await expect(openTd(kernel)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { setting: 'TEE_EVENT_LOG_FILE' },
    });
  });

  it('asks again when somebody wrote in between, and gives up when it goes on', async () => {
    let left = 2;
    const between = (kernel: TsmKernel, path: string): void => {
      const entry = kernel.reports.get(path)!;
      if (left > 0) entry.generation += 1;
      left -= 1;
    };
    const kernel = tdKernel(new ExtensibleTd(pki), { between });
    expect((await appraised(await openTd(kernel))).result.ok).toBe(true);
    left = Number.POSITIVE_INFINITY;
    await expect(cpuOf(kernel)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(kernel.reports.size).toBe(0);
  });

  it('asks again when the kernel is busy, and names any other error', async () => {
    let codes = ['EBUSY', 'EWOULDBLOCK'];
    const between = (): void => {
      const code = codes.shift();
      if (code !== undefined) throw Object.assign(new Error(code), { code });
    };
    const kernel = tdKernel(new ExtensibleTd(pki), { between });
    await expect(cpuOf(kernel)).resolves.toMatchObject({ profile: 'tdx' });
    codes = ['EIO'];
    await expect(cpuOf(kernel)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', details: { reason: 'EIO' } });
  });

  it('refuses a provider that it does not know', async () => {
    const kernel = tdKernel(new ExtensibleTd(pki), { provider: 'arm_cca_guest' });
    await expect(cpuOf(kernel)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
  });

  it('cannot measure where the kernel shows no registers', async () => {
    const td = new ExtensibleTd(pki);
    const kernel = new TsmKernel({ provider: 'tdx_guest', report: (data) => td.quote(data) });
    await expect(openTd(kernel)).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'TEE_DEVICE' } });
  });

  it('says that a directory is not there', async () => {
    const options = { files: kernelFiles, random: systemRandom, reportDir: join(directory, 'none'), register: null };
    await expect(configfsCpu(options)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { reason: 'ENOENT' },
    });
  });
});

describe("Linux's configfs-tsm on SEV-SNP", () => {
  const VCEK = '63da758de6644564adc5f4b93be8accd';
  const table = (guid: string, certificate: Uint8Array): Uint8Array =>
    concatBytes(fromHex(guid), u32le(48), u32le(certificate.length), new Uint8Array(24), certificate);
  const report = async (reportData: Uint8Array) => (await signSnpEvidence(snp, { reportData })).subarray(0, 1184);
  const open = async (kernel: TsmKernel, options: { snpCertificate?: Uint8Array } = {}) =>
    openHardwareDevice({ cpu: await cpuOf(kernel, options), policy: { snp: SNP_POLICY }, random: systemRandom });
  const kernelOf = (auxblob?: Uint8Array) =>
    new TsmKernel({ provider: 'sev_guest', report, ...(auxblob === undefined ? {} : { auxblob }) });

  it('makes evidence that the real verifier accepts, with the certificate of the host or of a file', async () => {
    const fromHost = await appraised(await open(kernelOf(table(VCEK, snp.leaf.der))));
    expect(failedChecks(fromHost.result)).toEqual([]);
    expect(fromHost.result.claims?.cpu.tee).toBe('sev-snp');
    const fromFile = await appraised(await open(kernelOf(), { snpCertificate: snp.leaf.der }));
    expect(fromFile.result.ok).toBe(true);
  });

  it('refuses without a certificate, with a GPU, and with an image digest that nothing would measure', async () => {
    await expect(open(kernelOf())).rejects.toMatchObject({ details: { setting: 'SNP_CERTIFICATE_FILE' } });
    const cpu = await cpuOf(kernelOf(table(VCEK, snp.leaf.der)));
    const withGpu = { cpu, gpus: nvidiaTools(tools), policy: { snp: SNP_POLICY, nvidia: NVIDIA_POLICY } };
    const unsupported = { code: 'PROFILE_UNSUPPORTED' };
    await expect(openHardwareDevice({ ...withGpu, random: systemRandom })).rejects.toMatchObject(unsupported);
    const withImage = { cpu, policy: { snp: SNP_POLICY }, imageDigest: IMAGE, random: systemRandom };
    await expect(openHardwareDevice(withImage)).rejects.toMatchObject({ details: { setting: 'TEE_DEVICE' } });
  });

  it('reads the table of certificates as its lengths say, or not at all', () => {
    const good = table(VCEK, bytes(3, 100));
    expect(endorsementKeyOf(good)).toEqual(bytes(3, 100));
    expect(endorsementKeyOf(table('c0b406a4a80349529743'.padEnd(32, '1'), bytes(3)))).toBeNull();
    expect(endorsementKeyOf(good.subarray(0, 147))).toBeNull();
    expect(endorsementKeyOf(new Uint8Array())).toBeNull();
    expect(endorsementKeyOf(table(VCEK, new Uint8Array()))).toBeNull();
  });

  it('gives the measurement that a DAO computes from the report', async () => {
    const device = await open(kernelOf(table(VCEK, snp.leaf.der)));
    const identity = {
      launchMeasurement: 'd1'.repeat(48),
      hostData: '00'.repeat(32),
      idKeyDigest: '00'.repeat(48),
      authorKeyDigest: '00'.repeat(48),
      familyId: '00'.repeat(16),
      imageId: '00'.repeat(16),
      guestSvn: 0,
    };
    expect(await device.measurement()).toBe(await snpMeasurement(identity, SNP_POLICY));
  });
});
