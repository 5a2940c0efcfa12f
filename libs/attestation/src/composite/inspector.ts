import { skipped, type Check } from '@usufruct/kernel';
import { combineChallenges, gpuNonce, type EvidenceBundle } from '@usufruct/protocol';
import { GPU_CHECKS, inspectGpus, type GpuInspection } from '../nvidia/inspect.js';
import { encodeNvidiaPolicy, zNvidiaPolicy } from '../policy/nvidia-policy.js';
import { pinnedRoots } from '../roots.js';
import { inspectTdx, TDX_CHECKS } from '../tdx/inspect.js';
import type { AppraisalContext, DecodedBundle, EvidenceFacts, EvidenceInspector, Inspection } from '../types.js';
import { checkGpuBinding, checkGpuMode, checkGpuPolicyEvent } from './checks.js';

const BOND_CHECKS = ['GPU_MODE', 'GPU_POLICY_EVENT', 'GPU_BINDING'] as const;

/**
 * A TD with NVIDIA GPUs: three questions, answered apart. Is the processor's evidence good; is each GPU's; and are these
 * the GPUs of this TD, in confidential mode, answering this challenge. The policy for GPUs is part of the measurement.
 *
 * Open by nature: a GPU relayed by whoever owns the measured code, or swapped after boot, until TDISP.
 */
export const tdxNvidiaInspector: EvidenceInspector = {
  profile: 'tdx+nv',
  standIn: false,
  requiredChecks: [...TDX_CHECKS, ...GPU_CHECKS, ...BOND_CHECKS],
  inspect,
};

async function inspect(bundle: EvidenceBundle, decoded: DecodedBundle, context: AppraisalContext): Promise<Inspection> {
  const { nowMs, teePolicy, endorsements = {}, roots } = context;
  const policy = zNvidiaPolicy.safeParse(teePolicy?.nvidia).data;
  const [cpu, gpu] = await Promise.all([
    inspectTdx(
      { quote: decoded.cpuEvidence, eventLog: bundle.eventLog, appCompose: bundle.appCompose },
      {
        nowMs,
        policy: teePolicy?.tdx,
        endorsements,
        roots: pinnedRoots(roots, 'intel'),
        companions: policy === undefined ? [] : [encodeNvidiaPolicy(policy)],
      },
    ),
    inspectGpus(decoded.gpuEvidence, {
      nowMs,
      nonce: gpuNonce(combineChallenges(decoded.challenges), decoded),
      policy,
      endorsements,
      deviceRoots: pinnedRoots(roots, 'nvidiaDevice'),
      rimRoots: pinnedRoots(roots, 'nvidiaRim'),
      token: bundle.gpuToken,
      isTokenLeftToOthers: context.isTokenLeftToOthers,
    }),
  ]);
  const bond = [
    checkGpuMode(bundle.eventLog),
    policy === undefined
      ? skipped('GPU_POLICY_EVENT', 'there is no policy')
      : checkGpuPolicyEvent(bundle.eventLog, policy),
    checkBond(bundle, decoded, cpu.facts, gpu, context),
  ];
  return { checks: [...cpu.checks, ...gpu.checks, ...bond], facts: factsOf(cpu.facts, gpu) };
}

function checkBond(
  bundle: EvidenceBundle,
  decoded: DecodedBundle,
  cpu: EvidenceFacts | null,
  gpu: GpuInspection,
  { jobId }: AppraisalContext,
): Check {
  if (cpu === null || gpu.facts === null) return skipped('GPU_BINDING', 'quote or GPU evidence could not be read');
  const { deviceIds } = gpu.facts;
  return checkGpuBinding({ decoded, events: bundle.eventLog, deviceIds, reportData: cpu.reportData, jobId });
}

function factsOf(cpu: EvidenceFacts | null, { facts: gpu }: GpuInspection): EvidenceFacts | null {
  if (cpu === null || gpu === null) return cpu;
  return { ...cpu, gpu: gpu.gpu, validUntilMs: Math.min(cpu.validUntilMs, gpu.validUntilMs) };
}
