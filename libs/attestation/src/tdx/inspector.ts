import { failed, skipped } from '@usufruct/kernel';
import { pinnedRoots } from '../roots.js';
import type { EvidenceInspector } from '../types.js';
import { inspectTdx, TDX_CHECKS } from './inspect.js';

/** Evidence of a TD alone: there is no GPU to judge, so none may be there to be believed. */
export const tdxInspector: EvidenceInspector = {
  profile: 'tdx',
  standIn: false,
  requiredChecks: TDX_CHECKS,
  inspect: async (bundle, { cpuEvidence, gpuEvidence }, { nowMs, teePolicy, endorsements = {}, roots }) => {
    const { checks, facts } = await inspectTdx(
      { quote: cpuEvidence, eventLog: bundle.eventLog, appCompose: bundle.appCompose },
      { nowMs, policy: teePolicy?.tdx, endorsements, roots: pinnedRoots(roots, 'intel') },
    );
    const hasGpu = gpuEvidence.length > 0 || bundle.gpuToken !== undefined;
    const gpu = hasGpu
      ? failed('GPU', 'this profile carries no GPU evidence, and nothing here would judge it')
      : skipped('GPU', 'this profile carries no GPU evidence');
    return { checks: [...checks, gpu], facts };
  },
};
