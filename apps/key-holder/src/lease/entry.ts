import type { GrantSet } from '@usufruct/consent';
import { asTimestampMs, type Digest, type TimestampMs } from '@usufruct/kernel';
import { LeaseLeafBcs, type LeasedKey } from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import type { LogEntry } from '../log/release-log.js';
import { askerOf, type LeaseSession } from './session.js';

const NOT_LEASED = asTimestampMs(0);

export interface EntryAbout extends Pick<LeasedKey, 'keyKind' | 'datasetId'> {
  readonly keyId: Digest;
  readonly grants: GrantSet;
}

/** What the log says about a leased key; whoever contributed to the dataset may read it. */
export function leaseEntry(
  { clock }: Holder,
  session: LeaseSession,
  { keyId, keyKind, datasetId, grants }: EntryAbout,
  decided: { readonly shareIndex: number; readonly decision: string; readonly leasedUntilMs?: TimestampMs },
): LogEntry {
  const { purpose, kind, protection } = session.job;
  const leaf = LeaseLeafBcs.serialize({
    ...askerOf(session),
    datasetId,
    keyId,
    keyKind,
    grantSetVersion: grants.version,
    purpose,
    kind,
    protection,
    leasedUntilMs: NOT_LEASED,
    ...decided,
    atMs: clock.nowMs(),
  }).toBytes();
  return { subject: datasetId, leaf };
}
