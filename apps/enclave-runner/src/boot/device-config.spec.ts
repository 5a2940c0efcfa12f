import { describe, expect, it } from '@jest/globals';
import { readDeviceConfig } from './device-config.js';

const DSTACK = { TEE_DEVICE: 'dstack', TEE_POLICY_FILE: '/etc/usufruct/tee-policy.json' };
const KERNEL = { ...DSTACK, TEE_DEVICE: 'configfs-tsm' };
const NITRO = { ...DSTACK, TEE_DEVICE: 'nitro' };
const SOFTWARE = { TEE_DEVICE: 'software', TEE_DEV_DIR: '/dev-pki' };

describe('which TEE device a runner opens', () => {
  it('has defaults for where the guest keeps its interfaces', () => {
    const hardware = { policyFile: '/etc/usufruct/tee-policy.json', imageDigest: undefined, nvidia: undefined };
    expect(readDeviceConfig(DSTACK)).toEqual({ device: 'dstack', hardware, socket: '/var/run/dstack.sock' });
    expect(readDeviceConfig(KERNEL)).toEqual({
      device: 'configfs-tsm',
      hardware,
      reportDir: '/sys/kernel/config/tsm/report',
      measurementsDir: '/sys/devices/virtual/misc/tdx_guest/measurements',
      eventLogFile: '/run/usufruct/runtime-events.json',
      snpCertificateFile: undefined,
    });
    expect(readDeviceConfig(SOFTWARE)).toEqual({ device: 'software', devDir: '/dev-pki' });
  });

  it('takes an image digest and GPUs', () => {
    const IMAGE_DIGEST = `sha256:${'ab'.repeat(32)}`;
    expect(readDeviceConfig({ ...DSTACK, IMAGE_DIGEST, TEE_GPU: 'nvidia', NVATTEST: '/opt/nvattest' })).toMatchObject({
      hardware: {
        imageDigest: 'ab'.repeat(32),
        nvidia: { nvattest: '/opt/nvattest', nvidiaSmi: '/usr/bin/nvidia-smi', nras: undefined },
      },
    });
  });

  it('takes an enclave of AWS, and whom to ask for a token about GPUs', () => {
    const nitro = { TEE_DEVICE: 'nitro', TEE_POLICY_FILE: '/p.json' };
    expect(readDeviceConfig(nitro)).toMatchObject({ device: 'nitro', nsmHelper: '/usr/bin/nsm-pipe' });
    const asking = { ...DSTACK, TEE_GPU: 'nvidia', NRAS_URL: 'https://nras.example/', NRAS_SERVICE_KEY: 'key' };
    expect(readDeviceConfig(asking)).toMatchObject({
      hardware: { nvidia: { nras: { url: 'https://nras.example', serviceKey: 'key' } } },
    });
  });

  it.each([
    ['nothing', {}, 'TEE_DEVICE'],
    ['a device that there is not', { ...DSTACK, TEE_DEVICE: 'sgx' }, 'TEE_DEVICE'],
    ['hardware without a policy', { TEE_DEVICE: 'dstack' }, 'TEE_POLICY_FILE'],
    ['the software TEE without its keys', { TEE_DEVICE: 'software' }, 'TEE_DEV_DIR'],
    ['hardware with the keys of the software TEE', { ...DSTACK, TEE_DEV_DIR: '/dev-pki' }, 'TEE_DEV_DIR'],
    ['the software TEE with a policy for hardware', { ...SOFTWARE, TEE_POLICY_FILE: '/p.json' }, 'TEE_POLICY_FILE'],
    ['the software TEE with GPUs', { ...SOFTWARE, TEE_GPU: 'nvidia' }, 'TEE_GPU'],
    ['dstack with settings of the kernel', { ...DSTACK, TSM_REPORT_DIR: '/sys/x' }, 'TSM_REPORT_DIR'],
    ['the kernel with the socket of dstack', { ...KERNEL, DSTACK_SOCKET: '/x.sock' }, 'DSTACK_SOCKET'],
    ['tools for GPUs without GPUs', { ...DSTACK, NVATTEST: '/opt/nvattest' }, 'NVATTEST'],
    ['a tool by its name alone', { ...DSTACK, TEE_GPU: 'nvidia', NVATTEST: 'nvattest' }, 'NVATTEST'],
    ['an enclave with GPUs', { ...NITRO, TEE_GPU: 'nvidia' }, 'TEE_GPU'],
    ['an enclave with an image digest', { ...NITRO, IMAGE_DIGEST: `sha256:${'ab'.repeat(32)}` }, 'IMAGE_DIGEST'],
    ['dstack with a helper of enclaves', { ...DSTACK, NSM_HELPER: '/x' }, 'NSM_HELPER'],
    ['a token without GPUs', { ...DSTACK, NRAS_URL: 'https://nras.example' }, 'NRAS_URL'],
    ['a key for nobody', { ...DSTACK, TEE_GPU: 'nvidia', NRAS_SERVICE_KEY: 'key' }, 'NRAS_URL'],
    ['a key in the clear', { ...DSTACK, TEE_GPU: 'nvidia', NRAS_URL: 'http://nras.example' }, 'NRAS_URL'],
    ['an image by its tag', { ...DSTACK, IMAGE_DIGEST: 'latest' }, 'IMAGE_DIGEST'],
  ])('refuses %s, by the name of the setting', (_name, environment, setting) => {
    expect(() => readDeviceConfig(environment)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', details: expect.objectContaining({ setting }) }),
    );
  });
});
