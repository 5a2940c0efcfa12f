import { checkThat, failed, passed, skipped, type Check } from '@usufruct/kernel';
import type { NvidiaPolicy } from '../policy/nvidia-policy.js';
import type { CertificateChain } from '../x509/chain.js';
import type { GpuDevice, SwitchDevice } from './checks.js';
import { certifiedPdi, deviceIdOf, modelOf } from './device.js';

const areDistinct = (devices: readonly { readonly chain: CertificateChain }[]): boolean =>
  new Set(devices.map(({ chain }) => deviceIdOf(chain))).size === devices.length;

/** As many GPUs as the policy says, each a device of its own. */
export function checkTopology(devices: readonly GpuDevice[], count: number): Check {
  if (devices.length !== count) return failed('GPU_TOPOLOGY', `${devices.length} GPUs, not ${count}`);
  return checkThat('GPU_TOPOLOGY', areDistinct(devices), 'one GPU is shown twice');
}

/** As many NVSwitches as the policy says, each a device of its own; none where it names none. */
export function checkSwitchTopology(switches: readonly SwitchDevice[], { switches: wanted }: NvidiaPolicy): Check {
  const count = wanted?.count ?? 0;
  if (switches.length !== count) return failed('SWITCH_TOPOLOGY', `${switches.length} NVSwitches, not ${count}`);
  return checkThat('SWITCH_TOPOLOGY', areDistinct(switches), 'one NVSwitch is shown twice');
}

/** Model and BIOS of each NVSwitch are in the policy. */
export function checkSwitchPolicy(switches: readonly SwitchDevice[], { switches: wanted }: NvidiaPolicy): Check {
  const holds = switches.every(
    ({ report, chain }) =>
      wanted?.models.includes(modelOf(chain)) === true && wanted.biosVersions.includes(report.biosVersion),
  );
  return checkThat('SWITCH_VERSIONS', holds, "an NVSwitch's model or BIOS is not in the policy");
}

/** The name that an NVSwitch gives of itself is the one that NVIDIA certified. */
export const checkSwitchNames = (switches: readonly SwitchDevice[]): Check =>
  checkThat(
    'SWITCH_PDI',
    switches.every(({ report, chain }) => report.pdi === certifiedPdi(chain)),
    'an NVSwitch calls itself what its certificate does not',
  );

const isSameSet = (left: readonly string[], right: readonly string[]): boolean => {
  const [a, b] = [new Set(left), new Set(right)];
  return a.size === b.size && [...a].every((one) => b.has(one));
};

/**
 * NVIDIA's check of the topology (nvtrust, ppcie-verifier), in both directions and by certified names: every GPU's links
 * lead to exactly the NVSwitches that are shown, and every NVSwitch's to exactly the GPUs that are shown. So no device
 * is between them that nobody appraised.
 */
export function checkLinks(gpus: readonly GpuDevice[], switches: readonly SwitchDevice[]): Check {
  if (switches.length === 0) {
    const isLinked = gpus.length > 1 && gpus.some(({ report }) => report.switchPdis.length > 0);
    return isLinked
      ? failed('LINK_TOPOLOGY', 'the GPUs are linked to NVSwitches that are not shown')
      : skipped('LINK_TOPOLOGY', 'there are no NVSwitches');
  }
  const names = (devices: readonly { readonly chain: CertificateChain }[]): string[] =>
    devices.map(({ chain }) => certifiedPdi(chain));
  if ([...names(gpus), ...names(switches)].includes('')) return failed('LINK_TOPOLOGY', 'a device has no name');
  if (!gpus.every(({ report }) => isSameSet(report.switchPdis, names(switches)))) {
    return failed('LINK_TOPOLOGY', 'a GPU is linked to other NVSwitches than those shown');
  }
  const holds = switches.every(({ report }) => isSameSet(report.gpuPdis, names(gpus)));
  return holds
    ? passed('LINK_TOPOLOGY')
    : failed('LINK_TOPOLOGY', 'an NVSwitch is linked to other GPUs than those shown');
}
