import { asId, toHex32, type Digest, type Hex32 } from '@usufruct/kernel';
import type { ChainEventData } from '@usufruct/protocol';
import type { ObjectIndex } from './object-index.js';
import type { EventRows } from './row.js';

/** What happens to the contracts' own code, if it is this package's. */
export const UPGRADE_ROWS: EventRows<
  'UpgradesLocked' | 'UpgradeAnnounced' | 'UpgradeCancelled' | 'UpgradeCommitted' | 'PackageMadeImmutable'
> = {
  UpgradesLocked: {
    dao: () => null,
    // The right over a package lies in one place, and can be locked up once.
    learn: ({ timelock, package: packageId }, index) =>
      void index.timelocks.add(timelock, { ours: index.packageIds.includes(packageId) }),
    data: (event, index) =>
      ifOurs(event.timelock, index, (timelockId) => ({
        type: 'UpgradesLocked',
        timelockId,
        packageId: event.package,
        version: event.version,
        delayMs: event.delay_ms,
      })),
  },
  UpgradeAnnounced: {
    dao: () => null,
    data: (event, index) =>
      ifOurs(event.timelock, index, (timelockId) => ({
        type: 'UpgradeAnnounced',
        timelockId,
        digest: digestOf(event.digest),
        readyAtMs: event.ready_at_ms,
        lapsesAtMs: event.lapses_at_ms,
      })),
  },
  UpgradeCancelled: {
    dao: () => null,
    data: (event, index) =>
      ifOurs(event.timelock, index, (timelockId) => ({
        type: 'UpgradeCancelled',
        timelockId,
        digest: digestOf(event.digest),
      })),
  },
  UpgradeCommitted: {
    dao: () => null,
    data: (event, index) =>
      ifOurs(event.timelock, index, (timelockId) => ({
        type: 'UpgradeCommitted',
        timelockId,
        packageId: event.package,
        version: event.version,
      })),
  },
  PackageMadeImmutable: {
    dao: () => null,
    data: (event, index) =>
      ifOurs(event.timelock, index, (timelockId) => ({
        type: 'PackageMadeImmutable',
        timelockId,
        packageId: event.package,
        version: event.version,
      })),
  },
};

const ifOurs = (
  timelock: Hex32,
  index: ObjectIndex,
  data: (timelockId: Hex32) => ChainEventData,
): ChainEventData | null => (index.timelocks.known(timelock).ours ? data(timelock) : null);

const digestOf = (bytes: Uint8Array): Digest => asId<Digest>(toHex32(bytes), 'digest');
