import { failed, skipped } from '@usufruct/kernel';
import { pinnedRoots } from '../roots.js';
import type { EvidenceInspector } from '../types.js';
import { inspectNitro, NITRO_CHECKS } from './inspect.js';

/**
 * Evidence of an enclave of AWS Nitro. It rests on the hypervisor of AWS, not on a processor's vendor. An enclave has no
 * GPU, and nothing measures an app compose apart from its image.
 */
export const nitroInspector: EvidenceInspector = {
  profile: 'nitro',
  standIn: false,
  requiredChecks: NITRO_CHECKS,
  inspect: async (bundle, { cpuEvidence, gpuEvidence, hpkePublicKey }, { nowMs, teePolicy, roots }) => {
    const { checks, facts } = await inspectNitro(
      { document: cpuEvidence, hpkePublicKey, eventLog: bundle.eventLog },
      { nowMs, policy: teePolicy?.nitro, roots: pinnedRoots(roots, 'awsNitro') },
    );
    const hasGpu = gpuEvidence.length > 0 || bundle.gpuToken !== undefined;
    const gpu = hasGpu
      ? failed('GPU', 'an enclave has no GPU, so this evidence is of another machine')
      : skipped('GPU', 'this profile carries no GPU evidence');
    const compose =
      bundle.appCompose === undefined ? [] : [failed('CONFIG_ID', 'nothing measures an app compose here')];
    return { checks: [...checks, gpu, ...compose], facts };
  },
};
