import type { TeeDevice } from '@usufruct/attestation';
import type { Chain, WalletSigner } from '@usufruct/chain';
import type { Clock, Logger, RandomSource } from '@usufruct/kernel';
import type { SealAccess } from '@usufruct/seal';
import type { PartReader } from '@usufruct/walrus';
import type { RunnerKeys } from './attest/runner-keys.js';
import type { IndexStore } from './compute/index-store/index-store.js';
import type { Retrieval } from './compute/rag/index.js';
import type { HolderPort } from './keys/holder-port.js';
import type { Generator } from './compute/rag/index.js';
import type { RunnerStore } from './receipt/store.js';

/** Reads ciphertext and manifests, as blobs or out of quilts; what it gives is checked by whoever asked. */
export type BlobReader = PartReader;

/** What the parts of the runner work with; made once at boot. */
export interface RunnerContext {
  readonly chain: Chain;
  readonly device: TeeDevice;
  readonly keys: RunnerKeys;
  readonly holders: readonly HolderPort[];
  /** Seal's key servers, where this runner has any configured; contributions of that key mode are left out without. */
  readonly seal: SealAccess | null;
  readonly blobs: BlobReader;
  /** How documents are searched; by BM25 alone where it is left out. */
  readonly retrieval?: Retrieval;
  /** Pays nothing; receives the runner's part and signs the transactions that settle receipts. */
  readonly wallet: WalletSigner;
  readonly store: RunnerStore;
  /** Indexes on the disk; where there is none, each session makes its own. */
  readonly indexes?: IndexStore | undefined;
  /** What makes answers, the first one where the asker names none; missing: sentences of the documents alone. */
  readonly generators?: readonly Generator[];
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
}
