import { describe, expect, it } from '@jest/globals';
import { asTimestampMs, type Digest } from '@usufruct/kernel';
import { UPGRADE_STATES } from '@usufruct/protocol';
import { idOf } from '@usufruct/testing';
import { upgradeWords } from './upgrades.js';

const upgrade = { digest: idOf<Digest>('code'), readyAtMs: asTimestampMs(10), lapsesAtMs: asTimestampMs(20) };
const words = (state: (typeof UPGRADE_STATES)[number]) => upgradeWords({ ...upgrade, state }, (atMs) => `t${atMs}`);

describe('an announced upgrade of the contracts', () => {
  it('is told while it can still happen, with its time and digest', () => {
    expect(words('announced')).toContain(`from t10, by the version with the digest ${upgrade.digest.slice(2)}`);
    expect(words('usable')).toContain('any moment from now on, until t20');
  });
  it.each(UPGRADE_STATES.filter((state) => state !== 'announced' && state !== 'usable'))(
    'is no news when it is %s',
    (state) => {
      expect(words(state)).toBeNull();
    },
  );
});
