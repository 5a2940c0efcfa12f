import { UsufructError, type JobId } from '@usufruct/kernel';
import type { AttestationResult, Claims, EvidenceBundle, EvidenceProfile, RunnerView } from '@usufruct/protocol';
import type { ClientContext } from './context.js';

/** A runner whose evidence this client has appraised itself, and whose key the chain has registered. */
export interface AttestedRunner {
  readonly claims: Claims;
  readonly result: AttestationResult;
  readonly runner: RunnerView;
}

/** What came of looking at a runner, good or bad. */
export interface InspectedRunner {
  readonly profile: EvidenceProfile;
  /** The evidence itself, for who judges it anew. */
  readonly bundle: EvidenceBundle;
  /** Software stands in for the hardware, or its root for a vendor's: nothing is proven of hardware, even where it is refused. */
  readonly standIn: boolean;
  /** Every check, whether it held or not. */
  readonly result: AttestationResult;
  /** What the evidence needs and nobody had. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
  /** Either the runner, which may be asked, or why it may not. */
  readonly attested: AttestedRunner | UsufructError;
}

/**
 * As `appraiseRunner`, under a nonce of 32 bytes. What appraises is loaded when it is first asked for: it is much code,
 * and who contributes or votes never needs it.
 */
export async function inspectRunner(
  context: ClientContext,
  jobId: JobId,
  nonce: Uint8Array = context.random(32),
): Promise<InspectedRunner> {
  const { appraiseRunner } = await import('./appraise-runner.js');
  return appraiseRunner(context, jobId, nonce);
}

/** `inspectRunner`, for who wants to go on only with a good one. Refuses why it is none. */
export async function attestRunner(context: ClientContext, jobId: JobId): Promise<AttestedRunner> {
  const { attested } = await inspectRunner(context, jobId);
  if (attested instanceof UsufructError) throw attested;
  return attested;
}
