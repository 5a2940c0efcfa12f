import { nameOfItem } from '@usufruct/attestation';
import type { EndorsementFolder } from './folder/endorsement-folder.js';
import { isFresh, unusableNow } from './validity.js';

export interface EndorsementStatus {
  readonly name: string;
  /** Whose answer it is; '' for a file that somebody put there. */
  readonly source: string;
  /** Null where the signature is not good, or where there is none by its nature. */
  readonly signedUntilMs: number | null;
  readonly freshUntilMs: number | null;
  /**
   * `fresh`: used without asking; `stale`: asked for again, and used if nobody answers; `expired` (or not valid yet) and
   * `unusable`: never used.
   */
  readonly state: 'fresh' | 'stale' | 'expired' | 'unusable';
  readonly reason: string;
}

/** Every file of a folder, verified anew. */
export async function statusOf(folder: EndorsementFolder, nowMs: number): Promise<readonly EndorsementStatus[]> {
  const rows: EndorsementStatus[] = [];
  for (const item of await folder.items()) {
    const held = await folder.read(item);
    const name = nameOfItem(item);
    if (held === null) continue;
    if ('flaw' in held) {
      rows.push({ name, source: '', signedUntilMs: null, freshUntilMs: null, state: 'unusable', reason: held.flaw });
      continue;
    }
    const { entry, validity } = held;
    const reason = unusableNow(held, nowMs);
    rows.push({
      name,
      source: entry?.source ?? '',
      signedUntilMs: validity.isSigned ? validity.untilMs : null,
      freshUntilMs: entry?.freshUntilMs ?? null,
      state: reason !== null ? 'expired' : isFresh(held, nowMs) ? 'fresh' : 'stale',
      reason: reason ?? '',
    });
  }
  return rows;
}
