import { toUsufructError } from '@usufruct/kernel';
import type { Holder } from '../holder.js';
import { makeBackup, type BackupSettings, type MadeBackup } from './make-backup.js';

export interface BackupRule extends BackupSettings {
  readonly intervalMs: number;
}

/** How often it looks whether one is due, and tries again one that failed. */
const LOOK_MS = 60_000;

/** One now, of a holder that runs: releases go on meanwhile, erasures and rotations wait for it. */
export const backUp = (holder: Holder, settings: BackupSettings): Promise<MadeBackup> =>
  holder.erasing.exclusively(() => makeBackup(holder, settings));

/** Each interval, also counted over restarts, until stopped; `stop` waits for the one that is under way. */
export function startBackingUp(holder: Holder, rule: BackupRule): { stop(): Promise<void> } {
  const { clock, logger } = holder;
  let dueAtMs = (holder.backups.lastAtMs() ?? Number.NEGATIVE_INFINITY) + rule.intervalMs;
  let running: Promise<void> | null = null;
  const make = async (): Promise<void> => {
    if (clock.nowMs() < dueAtMs) return;
    try {
      const { bytes, recipient } = await backUp(holder, rule);
      dueAtMs = clock.nowMs() + rule.intervalMs;
      logger.info('backup.made', { bytes, recipient: recipient.id, openableUntilMs: recipient.expiresAtMs });
    } catch (error) {
      const { code, details } = toUsufructError(error);
      logger.error('backup.failed', { code, ...details });
    }
  };
  const look = (): void => {
    running ??= make().finally(() => {
      running = null;
    });
  };
  look();
  const timer = setInterval(look, Math.min(rule.intervalMs, LOOK_MS));
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
