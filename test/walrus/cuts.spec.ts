import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@usufruct/testing';
import { runCuts } from './cuts.js';

/** `npm run test:walrus` asks for 1,000. */
const CUTS = Number(process.env['USUFRUCT_STORE_CUTS'] ?? 300);

describe(`uploads and reads, cut ${CUTS} times at random`, () => {
  it('nothing counts as stored that cannot be read back, nothing wrong is read, nothing is stored twice', async () => {
    const random = seededRandom('cuts');
    const draw = (n: number): number => new DataView(Uint8Array.from(random(4)).buffer).getUint32(0) % n;
    const { cuts, stored, quilts, lost, leases, endless } = await runCuts(CUTS, draw);
    expect(cuts).toBeGreaterThanOrEqual(CUTS);
    expect(stored).toBeGreaterThan(CUTS / 20);
    expect(quilts).toBeGreaterThan(CUTS / 100);
    expect({ lost, leases, endless }).toEqual({ lost: 0, leases: stored, endless: 0 });
  });
});
