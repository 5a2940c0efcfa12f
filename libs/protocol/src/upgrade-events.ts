import type { Digest, Hex32 } from '@usufruct/kernel';
import { z } from 'zod';
import { zHex32, zTimestampMs } from './wire.js';

const timelockId = zHex32<Hex32>();
const digest = zHex32<Digest>();
/** Of the version that runs, and its number from 1. */
const version = { packageId: zHex32<Hex32>(), version: z.int() };

/**
 * What happens to the right to upgrade the contracts themselves. Only of the timelock that holds the right over the
 * package in use: anybody can lock up the right over a package of their own. The local ledger has none of these.
 */
export const UPGRADE_EVENTS = [
  z.object({ type: z.literal('UpgradesLocked'), timelockId, ...version, delayMs: z.int() }),
  /** Of the new version's modules and dependencies; usable from `readyAtMs`, and before `lapsesAtMs`. */
  z.object({
    type: z.literal('UpgradeAnnounced'),
    timelockId,
    digest,
    readyAtMs: zTimestampMs,
    lapsesAtMs: zTimestampMs,
  }),
  z.object({ type: z.literal('UpgradeCancelled'), timelockId, digest }),
  z.object({ type: z.literal('UpgradeCommitted'), timelockId, ...version }),
  z.object({ type: z.literal('PackageMadeImmutable'), timelockId, ...version }),
] as const;
