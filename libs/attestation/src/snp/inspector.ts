import { failed, skipped } from '@usufruct/kernel';
import { pinnedRoots } from '../roots.js';
import type { EvidenceInspector } from '../types.js';
import { inspectSnp, SNP_CHECKS } from './inspect.js';

/**
 * Evidence of an SEV-SNP guest alone. A GPU beside it cannot be appraised: SEV-SNP has no register that the guest could
 * extend with the GPU's mode, so any GPU evidence is refused until a vTPM quote carries that statement.
 */
export const snpInspector: EvidenceInspector = {
  profile: 'snp',
  standIn: false,
  requiredChecks: SNP_CHECKS,
  inspect: async (bundle, { cpuEvidence, gpuEvidence }, { nowMs, teePolicy, endorsements = {}, roots }) => {
    const { checks, facts } = await inspectSnp(
      { evidence: cpuEvidence, eventLog: bundle.eventLog },
      { nowMs, policy: teePolicy?.snp, endorsements, roots: pinnedRoots(roots, 'amd') },
    );
    const hasGpu = gpuEvidence.length > 0 || bundle.gpuToken !== undefined;
    const gpu = hasGpu
      ? failed('GPU', 'a GPU beside SEV-SNP has no measured mode, so its evidence proves nothing')
      : skipped('GPU', 'this profile carries no GPU evidence');
    const compose =
      bundle.appCompose === undefined ? [] : [failed('CONFIG_ID', 'nothing measures an app compose here')];
    return { checks: [...checks, gpu, ...compose], facts };
  },
};
