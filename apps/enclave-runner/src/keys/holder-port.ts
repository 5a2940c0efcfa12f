import { toUsufructError } from '@usufruct/kernel';
import type {
  ChallengeRequest,
  CountersignRequest,
  DeliverOpening,
  DepositLeasedKey,
  DepositLeasedKeyAnswer,
  EgressAnswer,
  EgressRequest,
  HolderIdentity,
  LeaseAnswer,
  LeaseRequest,
  OpeningAck,
  OpeningsQuery,
  RegistrationRequest,
  ReleaseAnswer,
  ReleaseRequest,
  SignedSealingKey,
} from '@usufruct/protocol';

/** One key holder, as the runner speaks to it. Every call may refuse `UPSTREAM_UNAVAILABLE` or `UPSTREAM_INVALID`. */
export interface HolderPort {
  /** For errors and logs: where it is reached. */
  readonly name: string;
  identity(): Promise<HolderIdentity>;
  /** What it says of the key to seal shares to; whoever seals checks it. */
  sealingKey(): Promise<SignedSealingKey>;
  /** 32 bytes that the holder takes back once, within its term. */
  challenge(request: ChallengeRequest): Promise<Uint8Array>;
  register(request: RegistrationRequest): Promise<{ readonly statement: string; readonly signature: string }>;
  release(request: ReleaseRequest): Promise<ReleaseAnswer>;
  depositLeasedKey(request: DepositLeasedKey): Promise<DepositLeasedKeyAnswer>;
  lease(request: LeaseRequest): Promise<LeaseAnswer>;
  grantEgress(request: EgressRequest): Promise<EgressAnswer>;
  deliverOpening(request: DeliverOpening): Promise<OpeningAck>;
  openings(query: OpeningsQuery): Promise<{ readonly sealedOpenings: string }>;
  /** The signature is null for an epoch that is on the chain and was only kept. */
  countersign(request: CountersignRequest): Promise<{ readonly signature: string | null }>;
}

const AWAY: readonly string[] = ['UPSTREAM_UNAVAILABLE', 'RATE_LIMITED'];
/** What a call refuses while the holder cannot be reached or wants to be left alone: it says nothing of what was asked. */
export const isAway = (cause: unknown): boolean => AWAY.includes(toUsufructError(cause).code);
