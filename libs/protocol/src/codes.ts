/** Kinds of computation that a grant may allow. Order is the BCS variant index: append only. */
export const COMPUTATION_KINDS = ['rag', 'train', 'stats'] as const;
export type ComputationKind = (typeof COMPUTATION_KINDS)[number];

/** Protections that a grant may demand; a job names exactly one. */
export const PROTECTION_KINDS = ['tee', 'mpc', 'fhe'] as const;
export type ProtectionKind = (typeof PROTECTION_KINDS)[number];

/**
 * Who gives a runner the key of a contribution: the DAO's key holders, or Seal's key servers, which is weaker
 * (`SealedKeys`). Order is the BCS variant index: append only.
 */
export const KEY_MODES = ['holders', 'seal'] as const;
export type KeyMode = (typeof KEY_MODES)[number];
/** What each mode means, for whoever decides. */
export const KEY_MODE_WORDS: Readonly<Record<KeyMode, string>> = {
  holders: 'key holders: each release is for fresh evidence of the runner and is in a log that the owner can read',
  seal: "Seal's key servers (weaker): no fresh challenge and no release log; the runner is attested by its registration alone, the servers ask only their own nodes, and nothing can be erased",
};

/**
 * What a leased key encrypts: an index over a dataset, or the checkpoints of a job. Order is the BCS variant index:
 * append only.
 */
export const LEASED_KEY_KINDS = ['index', 'checkpoint'] as const;
export type LeasedKeyKind = (typeof LEASED_KEY_KINDS)[number];

/** What leaves a job besides answers to questions, which receipts account for. BCS variants in this order. */
export const COMPUTATION_OUTPUTS = { train: 'model', stats: 'statistics' } as const;
export type OutputKind = (typeof COMPUTATION_OUTPUTS)[keyof typeof COMPUTATION_OUTPUTS];

/** A purpose code: a GA4GH DUO code (`DUO:0000042`) or a DPV purpose (`dpv:ResearchAndDevelopment`). */
export const PURPOSE_CODE = /^(DUO:[0-9]{7}|dpv:[A-Za-z]{1,64})$/;

/** States of a job; the chain knows `funded`, `succeeded`, `cancelled` and `expired`, the rest is progress. */
export const JOB_STATES = [
  'quoted',
  'awaiting_approval',
  'funded',
  'queued',
  'attesting',
  'provisioning',
  'running',
  'egress_review',
  'settling',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
] as const;
export type JobState = (typeof JOB_STATES)[number];

export const CHAIN_JOB_STATES = ['funded', 'succeeded', 'cancelled', 'expired'] as const;
export type ChainJobState = (typeof CHAIN_JOB_STATES)[number];

export const SIGNER_KINDS = ['tee', 'mpc-set', 'fhe-host'] as const;
export type SignerKind = (typeof SIGNER_KINDS)[number];

/**
 * How votes are counted: each member one, or each unit that a member has earned as a contributor one. Until somebody
 * has earned something, members count: nobody could vote otherwise.
 */
export const VOTING_KINDS = ['member', 'contribution'] as const;
export type VotingKind = (typeof VOTING_KINDS)[number];

export const VOTE_CHOICES = ['yes', 'no', 'abstain'] as const;
export type VoteChoice = (typeof VOTE_CHOICES)[number];

/** `direct`: weights are public and each receipt pays at once; `epoch`: private weights, paid by claims. */
export const PAYOUT_MODES = ['direct', 'epoch'] as const;
export type PayoutMode = (typeof PAYOUT_MODES)[number];

export const UNCLAIMED_TO = ['treasury', 'protocol'] as const;
export type UnclaimedTo = (typeof UNCLAIMED_TO)[number];

/**
 * What becomes of a running job when a contribution that it uses is no longer allowed: it goes on without it, or ends.
 * Order is the BCS variant index, and a bool in the contracts.
 */
export const ON_REVOCATION = ['finish', 'cancel'] as const;
export type OnRevocation = (typeof ON_REVOCATION)[number];

/** How contributions are stored: so that their owners can delete them, or so that nobody can. As for `ON_REVOCATION`. */
export const BLOB_LIFETIMES = ['deletable', 'permanent'] as const;
export type BlobLifetime = (typeof BLOB_LIFETIMES)[number];

/** Roles of a member are a sum of these bits; 0 is a member without a role. */
export const ROLES = { administrator: 1, policyMaker: 2, steward: 4 } as const;
export const ALL_ROLES = 7;
export type RoleName = keyof typeof ROLES;
export const ROLE_NAMES = Object.keys(ROLES) as RoleName[];

export const rolesOf = (names: readonly RoleName[]): number => names.reduce((sum, name) => sum | ROLES[name], 0);
export const roleNames = (roles: number): RoleName[] => ROLE_NAMES.filter((name) => (roles & ROLES[name]) !== 0);
/** Who is no member has no role. */
export const hasRole = (member: { readonly roles: number } | null | undefined, name: RoleName): boolean =>
  ((member?.roles ?? 0) & ROLES[name]) !== 0;
