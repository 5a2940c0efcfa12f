import { bytes, count, objectId, struct } from './move-types.js';
import { timeMs } from './common.js';

/** Events about the package's own code; they say nothing about any DAO. */
export const UPGRADE_EVENT_LAYOUTS = {
  UpgradesLocked: struct('upgrade_events::UpgradesLocked', {
    timelock: objectId,
    package: objectId,
    version: count(),
    delay_ms: count(),
  }),
  UpgradeAnnounced: struct('upgrade_events::UpgradeAnnounced', {
    timelock: objectId,
    digest: bytes,
    ready_at_ms: timeMs,
    lapses_at_ms: timeMs,
  }),
  UpgradeCancelled: struct('upgrade_events::UpgradeCancelled', { timelock: objectId, digest: bytes }),
  UpgradeCommitted: struct('upgrade_events::UpgradeCommitted', {
    timelock: objectId,
    package: objectId,
    version: count(),
  }),
  PackageMadeImmutable: struct('upgrade_events::PackageMadeImmutable', {
    timelock: objectId,
    package: objectId,
    version: count(),
  }),
};
