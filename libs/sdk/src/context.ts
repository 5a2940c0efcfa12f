import type { Clock, ContributionId, RandomSource } from '@usufruct/kernel';
import type { BlobCustody, Chain, WalletSigner } from '@usufruct/chain';
import type { SealedKeys } from '@usufruct/protocol';
import type { BlobStore } from '@usufruct/walrus';
import type { ApiSession } from './api/session.js';
import type { Fetch } from './api/http.js';
import type { Journal } from './journal.js';
import type { SealingKeys } from './sealing-keys.js';

export interface HolderEndpoint {
  readonly url: string;
}

/** Encrypts a contribution's secret to Seal's key servers, the weaker of the two key modes; see `SealedKeys`. */
export interface SecretSealer {
  seal(contributionId: ContributionId, secret: Uint8Array): Promise<SealedKeys>;
}

/** How what is contributed is stored; where nothing is said, as the store does it by itself. */
export interface StorageTerms {
  /** How long the leases last at first. */
  readonly epochs?: number;
  /**
   * Whether the leases can be ended early, so that retired ciphertext can be deleted. Contributions follow the DAO's
   * policy: what contradicts it is refused.
   */
  readonly deletable?: boolean;
  /** The contributor owns the leases, where somebody else pays for them. */
  readonly own?: boolean;
}

export type OpenCustody = () => Promise<BlobCustody>;

/** What every flow of one client works with; made once by `connect`. */
export interface ClientContext {
  readonly api: ApiSession;
  readonly chain: Chain;
  readonly store: BlobStore;
  readonly holders: readonly HolderEndpoint[];
  readonly signer: WalletSigner;
  readonly journal: Journal;
  /** What holders' shares are sealed to. */
  readonly sealingKeys: SealingKeys;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** PEM of the root of a software TEE: a stand-in, refused where the chain is none. */
  readonly teeDevRoot?: string;
  readonly storage?: StorageTerms;
  /** Where `Blob` objects can be given into custody; opened when it is used. */
  readonly custody?: OpenCustody;
  /** Where Seal is configured; without it that mode is refused. */
  readonly secretSealer?: SecretSealer;
}
