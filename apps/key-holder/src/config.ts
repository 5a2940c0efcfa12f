import { join } from 'node:path';
import { refuseStandIns, suiOptionsFrom, type SuiOptions } from '@usufruct/chain';
import { VERIFIER_SETTINGS, verifierConfigOf, verifierStandIns, type VerifierConfig } from '@usufruct/endorsements';
import { fromHex, refuse } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { readSettings, zSharedSettings, type Environment } from '@usufruct/service';
import { z } from 'zod';
import type { BackupRule } from './backup/backing-up.js';
import { SEALING_TERMS, type SealingTerms } from './sealing/subkeys.js';
import { UNREGISTERED_TERM_MS } from './erasure/sweep.js';

/** What is so long on its way is sealed anew. */
const LONGEST_GRACE_MS = 60 * 60_000;
const HOLDER_SECRET_HEX = /^[0-9a-f]{64}$/;

const LONGEST_BACKUP_MS = 366 * 86_400_000;

const zEnvironment = zSharedSettings.extend({
  HOLDER_SECRET: z.string().regex(HOLDER_SECRET_HEX).refine(isNotRepeated),
  KEYRING_DIR: z.string().min(1).optional(),
  ...VERIFIER_SETTINGS,
  ANCHOR_INTERVAL_MS: z.coerce.number().int().min(100).max(86_400_000).default(15_000),
  ERASURE_INTERVAL_MS: z.coerce.number().int().min(100).max(86_400_000).default(60_000),
  SEALING_KEY_MAX_AGE_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(LIMITS.sealingKeyTermMs)
    .default(SEALING_TERMS.maxAgeMs),
  SEALING_KEY_GRACE_MS: z.coerce.number().int().min(1_000).max(LONGEST_GRACE_MS).default(SEALING_TERMS.graceMs),
  BACKUP_DIR: z.string().min(1).optional(),
  BACKUP_RECIPIENT: z.string().min(1).optional(),
  BACKUP_INTERVAL_MS: z.coerce.number().int().min(1_000).max(LONGEST_BACKUP_MS).default(86_400_000),
  BACKUP_RETENTION_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(LONGEST_BACKUP_MS)
    .default(30 * 86_400_000),
  STORAGE_KEY_MAX_AGE_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(366 * 86_400_000)
    .default(7 * 86_400_000),
  UNREGISTERED_TERM_MS: z.coerce.number().int().min(LIMITS.unregisteredTermLeastMs).default(UNREGISTERED_TERM_MS),
});

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  /** Where the keys are that rotate: a small file that no snapshot and no copy of the data should have with it. */
  readonly keyringDir: string;
  readonly suiNetwork: string;
  readonly chainUrl: string | undefined;
  /** Where our package is on a Sui network. */
  readonly sui: SuiOptions;
  readonly allowedOrigins: readonly string[];
  /** 32 bytes. Every lasting key of this holder is derived from it. */
  readonly holderSecret: Uint8Array;
  /** How evidence is appraised. */
  readonly verifier: VerifierConfig;
  readonly anchorIntervalMs: number;
  readonly erasureIntervalMs: number;
  readonly sealingTerms: SealingTerms;
  readonly storageKeyMaxAgeMs: number;
  readonly unregisteredTermMs: number;
  /** None are made without. */
  readonly backup: BackupRule | undefined;
  /** In words, for the identity and the log; empty in production. */
  readonly standIns: readonly string[];
}

/** Refuses `CONFIG_INVALID` with the setting's name, never its value, and `STAND_IN_FORBIDDEN` on a real network. */
export function readConfig(environment: Environment): Config {
  const env = readSettings(zEnvironment, environment);
  const verifier = verifierConfigOf(env);
  const standIns = [...(env.SUI_NETWORK === 'local' ? ['local chain'] : []), ...verifierStandIns(verifier)];
  refuseStandIns({ suiNetwork: env.SUI_NETWORK, standIns });
  return {
    port: env.PORT,
    host: env.HOST,
    dataDir: env.DATA_DIR,
    keyringDir: env.KEYRING_DIR ?? join(env.DATA_DIR, 'keyring'),
    suiNetwork: env.SUI_NETWORK,
    chainUrl: env.CHAIN_URL,
    sui: suiOptionsFrom(environment),
    allowedOrigins: env.ALLOWED_ORIGINS,
    holderSecret: fromHex(env.HOLDER_SECRET, 'HOLDER_SECRET'),
    verifier,
    anchorIntervalMs: env.ANCHOR_INTERVAL_MS,
    erasureIntervalMs: env.ERASURE_INTERVAL_MS,
    sealingTerms: { maxAgeMs: env.SEALING_KEY_MAX_AGE_MS, graceMs: env.SEALING_KEY_GRACE_MS },
    storageKeyMaxAgeMs: env.STORAGE_KEY_MAX_AGE_MS,
    unregisteredTermMs: env.UNREGISTERED_TERM_MS,
    backup: backupRuleOf(env),
    standIns,
  };
}

function backupRuleOf(env: z.output<typeof zEnvironment>): BackupRule | undefined {
  const { BACKUP_DIR: dir, BACKUP_RECIPIENT: recipientFile } = env;
  if (dir === undefined && recipientFile === undefined) return undefined;
  if (dir === undefined) throw refuse('CONFIG_INVALID', { setting: 'BACKUP_DIR' });
  if (recipientFile === undefined) throw refuse('CONFIG_INVALID', { setting: 'BACKUP_RECIPIENT' });
  return { dir, recipientFile, intervalMs: env.BACKUP_INTERVAL_MS, retentionMs: env.BACKUP_RETENTION_MS };
}

/** 64 times the same digit is a placeholder that somebody forgot, not a secret. */
function isNotRepeated(hex: string): boolean {
  return new Set(hex).size > 1;
}
