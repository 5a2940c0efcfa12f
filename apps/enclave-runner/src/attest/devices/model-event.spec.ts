import { describe, expect, it } from '@jest/globals';
import { failedChecks, type TdxPolicy } from '@usufruct/attestation';
import { systemRandom, toHex } from '@usufruct/kernel';
import { appraised, IMAGE, SNP_POLICY, useHardware } from '../../../../../test/support/hardware-world.js';
import { bytes, pki, POLICY } from '../../../../../test/support/tdx-world.js';
import { ExtensibleTd, MEASUREMENTS_DIR, REPORT_DIR, TsmKernel } from '../../../../../test/support/tee-guest.js';
import { configfsCpu } from './configfs-tsm.js';
import { openHardwareDevice } from './hardware-device.js';
import { openKernelRegister } from './kernel-register.js';

useHardware();

const MODEL = bytes(7);
const OTHER = bytes(8);
const naming = (...models: Uint8Array[]): TdxPolicy => ({
  ...POLICY,
  requiredEvents: [
    ...POLICY.requiredEvents,
    ...models.map((sha256) => ({ name: 'model-hash/generator', payload: toHex(sha256) })),
  ],
});

/** A TD whose runner has these models, started under one policy and judged under another, as a DAO's holders do. */
async function judged(models: readonly Uint8Array[], policy: TdxPolicy, td = new ExtensibleTd(pki)) {
  const device = await openWith(models, policy, td);
  return appraised(device, { teePolicy: { tdx: policy } });
}
async function openWith(models: readonly Uint8Array[], policy: TdxPolicy, td: ExtensibleTd) {
  const kernel = new TsmKernel({ provider: 'tdx_guest', report: (data) => td.quote(data), td });
  const register = { files: kernel, measurementsDir: MEASUREMENTS_DIR, logFile: '/run/usufruct/runtime-events.json' };
  const cpu = await configfsCpu({
    files: kernel,
    random: systemRandom,
    reportDir: REPORT_DIR,
    register: await openKernelRegister(register),
    pause: () => Promise.resolve(),
  });
  return openHardwareDevice({
    cpu,
    policy: { tdx: policy },
    imageDigest: IMAGE,
    models: models.map((sha256) => ({ role: 'generator', sha256 })),
    random: systemRandom,
  });
}

describe('the model that a runner is to use, in its evidence', () => {
  it('is good where the policy names it by its hash', async () => {
    const { bundle, result } = await judged([MODEL], naming(MODEL));
    expect(failedChecks(result)).toEqual([]);
    expect(bundle.eventLog.map(({ name }) => name)).toEqual(['image-digest', 'model-hash/generator']);
  });

  it.each<[string, Uint8Array[], TdxPolicy]>([
    ['another model than the policy names', [OTHER], naming(MODEL)],
    ['a model where the policy names none', [MODEL], naming()],
    ['no model where the policy names one', [], naming(MODEL)],
  ])('is refused: %s', async (_what, models, policy) => {
    const { result } = await judged(models, policy);
    expect(failedChecks(result)).toEqual(['EVENTS']);
  });

  it('cannot be exchanged before the guest is started anew', async () => {
    const td = new ExtensibleTd(pki);
    const log = '/run/usufruct/runtime-events.json';
    const kernel = new TsmKernel({ provider: 'tdx_guest', report: (data) => td.quote(data), td });
    const openAgain = async (sha256: Uint8Array) =>
      openHardwareDevice({
        cpu: await configfsCpu({
          files: kernel,
          random: systemRandom,
          reportDir: REPORT_DIR,
          register: await openKernelRegister({ files: kernel, measurementsDir: MEASUREMENTS_DIR, logFile: log }),
          pause: () => Promise.resolve(),
        }),
        policy: { tdx: naming(MODEL) },
        imageDigest: IMAGE,
        models: [{ role: 'generator', sha256 }],
        random: systemRandom,
      });
    await openAgain(MODEL);
    await openAgain(MODEL);
    await expect(openAgain(OTHER)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { event: 'model-hash/generator' },
    });
  });

  it('cannot be had where the guest has no register to measure it into', async () => {
    const cpu = { profile: 'snp' as const, quote: async () => ({ evidence: new Uint8Array(), eventLog: [] }) };
    const opening = openHardwareDevice({
      cpu,
      policy: { snp: SNP_POLICY },
      models: [{ role: 'generator', sha256: MODEL }],
      random: systemRandom,
    });
    await expect(opening).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'TEE_DEVICE' } });
  });
});
