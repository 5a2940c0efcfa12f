import { timeMs } from './common.js';
import { bytes, count, objectId, option, struct, u8, uid } from './move-types.js';

const upgradeCap = struct('0x2::package::UpgradeCap', { id: uid, package: objectId, version: count(), policy: u8 });
export const upgradeAnnouncement = struct('upgrade_timelock::Announcement', {
  digest: bytes,
  ready_at_ms: timeMs,
  lapses_at_ms: timeMs,
});
export const upgradeTimelockObject = struct('upgrade_timelock::UpgradeTimelock', {
  id: uid,
  cap: upgradeCap,
  delay_ms: count(),
  announced: option(upgradeAnnouncement),
});
