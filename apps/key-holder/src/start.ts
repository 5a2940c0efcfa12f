import type { AppraisalDesk } from '@usufruct/attestation';
import type { Chain } from '@usufruct/chain';
import { toHex, type Clock, type Logger, type RandomSource } from '@usufruct/kernel';
import { startBackingUp, type BackupRule } from './backup/backing-up.js';
import { recipientIn, removeUnfinished } from './backup/make-backup.js';
import { makeHolder, type Holder } from './holder.js';
import { deriveHolderKeys } from './identity.js';
import { startErasing, UNREGISTERED_TERM_MS } from './erasure/sweep.js';
import { openKeyring } from './keyring/open.js';
import { startAnchoring } from './log/anchor.js';
import { serve } from './server/server.js';
import { SEALING_TERMS, startTending, type SealingTerms } from './sealing/subkeys.js';
import { openDatabase } from './store/database.js';

const ERASURE_INTERVAL_MS = 60_000;

export interface HolderOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly dataDir: string;
  /** In the data's folder unless given. */
  readonly keyringDir?: string;
  readonly holderSecret: Uint8Array;
  readonly allowedOrigins: readonly string[];
  readonly anchorIntervalMs: number;
  /** How often it looks for what the chain says is retired; each minute unless given. */
  readonly erasureIntervalMs?: number;
  /** Of the keys that shares are sealed to; the usual ones unless given. */
  readonly sealingTerms?: SealingTerms;
  readonly storageKeyMaxAgeMs?: number;
  /** How long a share is kept that nobody registers; a week unless given. */
  readonly unregisteredTermMs?: number;
  /** None are made unless given. */
  readonly backup?: BackupRule | undefined;
  readonly standIns: readonly string[];
  readonly chain: Chain;
  readonly desk: AppraisalDesk;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
}
export interface RunningHolder {
  readonly url: string;
  readonly holder: Holder;
  close(): Promise<void>;
}

/** Open the database, continue the log, serve. Needs no chain to start: what needs one is refused until it answers. */
export async function startKeyHolder(options: HolderOptions): Promise<RunningHolder> {
  const keys = await deriveHolderKeys(options.holderSecret);
  if (options.backup !== undefined) await recipientIn(options.backup.recipientFile);
  const keyring = await openKeyring({ ...options, keys });
  const database = openDatabase(options.dataDir, toHex(keys.signing.publicKey));
  const holder = makeHolder({ ...options, keys, keyring, database });
  removeUnfinished(options.dataDir);
  const { sealingTerms = SEALING_TERMS, logger } = options;
  const tending = startTending(holder.subkeys, sealingTerms, logger);
  const server = await serve(holder, options);
  const anchoring = startAnchoring(holder, options.anchorIntervalMs);
  const erasing = startErasing(holder, {
    intervalMs: options.erasureIntervalMs ?? ERASURE_INTERVAL_MS,
    unregisteredTermMs: options.unregisteredTermMs ?? UNREGISTERED_TERM_MS,
  });
  const backingUp = options.backup && startBackingUp(holder, options.backup);
  return {
    url: server.url,
    holder,
    close: async () => {
      await server.close();
      await Promise.all([anchoring.stop(), erasing.stop(), tending.stop(), backingUp?.stop()]);
      database.close();
    },
  };
}
