import { describe, expect, it } from '@jest/globals';
import { systemRandom, type Logger } from '@usufruct/kernel';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { directory, NVIDIA_POLICY, tools, useHardware } from '../../../../test/support/hardware-world.js';
import { POLICY } from '../../../../test/support/tdx-world.js';
import type { NvidiaConfig } from './device-config.js';
import { openDevice } from './open-device.js';

const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

useHardware();

describe('the device that a runner opens', () => {
  const open = (nvidia: Partial<NvidiaConfig>) => {
    const policyFile = join(directory, 'policy.json');
    writeFileSync(policyFile, JSON.stringify({ tdx: POLICY, nvidia: NVIDIA_POLICY }));
    const { nvattest, nvidiaSmi } = tools;
    const hardware = {
      policyFile,
      imageDigest: undefined,
      nvidia: { nvattest, nvidiaSmi, nras: undefined, ...nvidia },
    };
    const config = { device: 'nitro', hardware, nsmHelper: '/usr/bin/nsm-pipe' } as const;
    return openDevice(config, { random: systemRandom, fetch: globalThis.fetch, logger: silent });
  };

  it.each([
    ['NVATTEST', { nvattest: '/nothing/nvattest' }],
    ['NVIDIA_SMI', { nvidiaSmi: '/nothing/nvidia-smi' }],
  ])('is none where the image has no NVIDIA tool: %s', async (setting, nvidia) => {
    await expect(open(nvidia)).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting } });
  });
});
