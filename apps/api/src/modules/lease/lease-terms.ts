/** In order: each is told once for a lease, and none after a later one. */
export const LEASE_LEVELS = ['notice', 'urgent', 'expired'] as const;
export type LeaseLevel = (typeof LEASE_LEVELS)[number];

export interface LeaseTerm {
  /** The epoch in which the keeper saw this lease first: the chain does not say when it began. */
  readonly seenEpoch: number;
  /** The first epoch in which the store need not keep the blob. */
  readonly endEpoch: number;
}

/** Short leases, and old ones that the keeper saw late, are told in these many epochs all the same. */
const LEAST_NOTICE_EPOCHS = 2;
const LEAST_URGENT_EPOCHS = 1;

/**
 * How near the end is: `notice` from 30 % of the lease left, `urgent` from 10 %, `expired` from its end on; null before.
 * In epochs of the store, never of a clock here.
 */
export function leaseLevel({ seenEpoch, endEpoch }: LeaseTerm, epoch: number): LeaseLevel | null {
  const left = endEpoch - epoch;
  const length = Math.max(0, endEpoch - seenEpoch);
  if (left <= 0) return 'expired';
  if (left <= Math.max(LEAST_URGENT_EPOCHS, Math.floor(length / 10))) return 'urgent';
  if (left <= Math.max(LEAST_NOTICE_EPOCHS, Math.floor((length * 3) / 10))) return 'notice';
  return null;
}

/** The levels that this one makes superfluous, itself included. */
export const levelsFrom = (level: LeaseLevel): readonly LeaseLevel[] => LEASE_LEVELS.slice(LEASE_LEVELS.indexOf(level));
