import type { Check, Hex32 } from '@usufruct/kernel';
import type { AppraisalPolicy, AttestationResult, Claims, EvidenceBundle, EvidenceProfile } from '@usufruct/protocol';
import type { NitroPolicy } from './policy/nitro-policy.js';
import type { NvidiaPolicy } from './policy/nvidia-policy.js';
import type { SnpPolicy } from './policy/snp-policy.js';
import type { TdxPolicy } from './policy/tdx-policy.js';
import type { RootSet } from './roots.js';

/** Collateral, CRLs, reference manifests and key sets by name, as the verifier fetched them; never the attester's. */
export type Endorsements = Readonly<Record<string, Uint8Array>>;

/**
 * What is asked of the hardware, by the kind of evidence. A kind that has no policy here is refused. The measurements on
 * the chain pin these documents (see `tdxMeasurement`), so a verifier may take them from anywhere.
 */
export interface TeePolicy {
  readonly tdx?: TdxPolicy;
  readonly snp?: SnpPolicy;
  readonly nitro?: NitroPolicy;
  readonly nvidia?: NvidiaPolicy;
}

export interface AppraisalContext {
  /** The 32 bytes that this verifier made for this appraisal and has consumed. */
  readonly ownChallenge: Uint8Array;
  /** The job that the evidence must be for; the DAO's id when a runner registers its key. */
  readonly jobId: Hex32;
  /** Integer milliseconds; everything else is refused by `BAD_CLOCK`. */
  readonly nowMs: number;
  readonly policy: AppraisalPolicy;
  readonly teePolicy?: TeePolicy;
  readonly endorsements?: Endorsements;
  readonly roots: RootSet;
  /**
   * Of a verifier that cannot fetch the keys of NVIDIA's attestation service itself, such as a browser: a token that is
   * there is not judged, and the result says so. One that is required and not there fails all the same.
   */
  readonly isTokenLeftToOthers?: boolean;
}

/** RATS (RFC 9334) verifier of one evidence profile. */
export interface EvidenceVerifier {
  readonly profile: EvidenceProfile;
  /**
   * Appraise one bundle. Never throws for what the bundle holds: every check is in the result as passed, failed or
   * skipped with its reason, and `claims` is there only when all that is required holds.
   */
  appraise(bundle: EvidenceBundle, context: AppraisalContext): Promise<Appraisal>;
}

/** The bundle's byte fields, decoded and of the right lengths. */
export interface DecodedBundle {
  readonly challenges: readonly Uint8Array[];
  readonly hpkePublicKey: Uint8Array;
  readonly signingPublicKey: Uint8Array;
  readonly cpuEvidence: Uint8Array;
  readonly gpuEvidence: readonly Uint8Array[];
}

/** What was proven of the processor and of the code that it runs. */
export interface CpuClaim {
  readonly tee: 'tdx' | 'sev-snp' | 'nitro' | 'software-dev';
  /** As the policy approves it, lower-case hex. */
  readonly measurement: string;
  readonly debug: boolean;
  /** What the vendor says of the firmware, such as UpToDate; empty where the vendor says nothing in words. */
  readonly tcbStatuses: readonly string[];
  /** Advisories that apply although the policy accepts them. */
  readonly advisories: readonly string[];
}

/** What was proven of the GPUs. */
export interface GpuClaim {
  readonly devices: readonly {
    readonly model: string;
    readonly driverVersion: string;
    readonly vbiosVersion: string;
  }[];
  readonly switches: readonly { readonly model: string; readonly biosVersion: string }[];
}

/** What was proven of the bond between the processor, the GPUs, the runner's keys and the question. */
export interface BindingClaim {
  /** Hex of the combination of all challenges. */
  readonly challenge: string;
  readonly jobId: Hex32;
  /** True if report data and event log vouch for exactly the GPUs of `gpu`. */
  readonly gpu: boolean;
}

/** Claims about processor, GPUs and binding stay apart: none of them says anything about the others. */
export interface AppraisedClaims extends Claims {
  readonly cpu: CpuClaim;
  /** Null for a profile without GPUs. */
  readonly gpu: GpuClaim | null;
  readonly binding: BindingClaim;
  /**
   * When the first of all that this verdict rests on ends, milliseconds, exclusive: every certificate of every chain,
   * `nextUpdate` of revocation lists, TCB info, QE identity and OCSP answers with their responders' certificates, `exp` of
   * NVIDIA's tokens. Whoever vouches for the keys further on, as in a registration, must not do so beyond it: nobody
   * would endorse the evidence any longer. `expiresAtMs` of the result is never later; it counts the policy's term from
   * the appraisal's own clock, which two verifiers do not share, so this is what a time from a request is held against.
   */
  readonly endorsedUntilMs: number;
}

export interface Appraisal extends AttestationResult {
  readonly claims?: AppraisedClaims;
}

/** What the evidence says. Worth something only together with the checks that came with it. */
export interface EvidenceFacts {
  /** Lower-case hex. */
  readonly measurement: string;
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  readonly debug: boolean;
  /** When the first certificate, list, document, answer or token that is judged expires; see `endorsedUntilMs`. */
  readonly validUntilMs: number;
  readonly cpu: CpuClaim;
  readonly gpu: GpuClaim | null;
}

export interface Inspection {
  readonly checks: readonly Check[];
  /** Null when the evidence could not be parsed. */
  readonly facts: EvidenceFacts | null;
}

/** The part of a verifier that knows one format: parses it, checks signatures and chains up to a pinned root. */
export interface EvidenceInspector {
  readonly profile: EvidenceProfile;
  /** True for a software TEE. */
  readonly standIn: boolean;
  /** Names of the checks of this format that must have passed; `inspect` makes each of them. */
  readonly requiredChecks: readonly string[];
  inspect(bundle: EvidenceBundle, decoded: DecodedBundle, context: AppraisalContext): Promise<Inspection>;
}
