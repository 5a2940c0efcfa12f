import { afterEach, describe, expect, it } from '@jest/globals';
import { reshare } from '@usufruct/sdk';
import { RotationWorld, SET } from './rotation-world.js';

let world: RotationWorld;
afterEach(() => world.close());

describe('re-sharing to the next version of a holder set', () => {
  it('replaces a member, adds two and raises the threshold, and recovers what was lost', async () => {
    world = await RotationWorld.of([1, 2, 3], 2);
    await world.contribute(3);
    const [first] = world.dealt;
    expect(await world.opens(first!, [1, 3])).toBe(true);

    // Holder 4 takes the place of holder 3.
    await world.start(4);
    await world.rotate([1, 2, 4], 2);
    expect(await reshare(world.context(), { holderSetId: SET })).toMatchObject({
      version: 2,
      manifests: 3,
      done: 3,
      absent: [],
      waiting: [],
      faults: [],
      oldSharesLeft: 0,
    });
    for (const made of world.dealt) {
      expect(await world.opens(made, [1, 4])).toBe(true);
      expect(await world.opens(made, [4, 2])).toBe(true);
      expect(await world.opens(made, [4])).toBe(false);
      expect(await world.shareOf(3, made)).toBeNull();
    }
  });
});
