import type { Endorsements } from '@usufruct/attestation';
import type { EvidenceBundle } from '@usufruct/protocol';

/** One endorsement that the evidence needs and the source does not have. */
export interface MissingEndorsement {
  /** As `appraiseEvidence` looks for it, such as `intel/root-ca.crl`. */
  readonly name: string;
  /** In plain words, for an operator: what was tried and what came of it. No addresses with credentials, no bodies. */
  readonly reason: string;
}

export interface FoundEndorsements {
  /** What goes into `AppraisalContext.endorsements` as it is. */
  readonly endorsements: Endorsements;
  readonly missing: readonly MissingEndorsement[];
}

/**
 * Where a verifier gets what the vendors say of their hardware; never from the attester.
 *
 * Every source hands out only what it parsed and verified up to a pinned root, and what is within its signed validity
 * now. Which of it the evidence needs is read from the evidence, which nobody has judged yet: it decides no more than
 * which names are asked for.
 */
export interface EndorsementSource {
  /**
   * What this evidence is to be appraised with. Never rejects for anything that a vendor, the network or the bundle
   * does: what is not there is in `missing`, and the appraisal fails by the check that needs it.
   */
  endorsementsFor(bundle: EvidenceBundle): Promise<FoundEndorsements>;
}

/** Endorsements that somebody else has: for profiles that need none, and for tests. Nothing is verified here. */
export const fixedEndorsements = (endorsements: Endorsements): EndorsementSource => ({
  endorsementsFor: () => Promise.resolve({ endorsements, missing: [] }),
});
