import { describe, expect, it } from '@jest/globals';
import { Room, Share } from './room.js';

const MIB = 1024 ** 2;

describe('the room of all sessions', () => {
  it('is shared: what one has another has not, until it gives it back or ends', () => {
    const room = new Room(3 * MIB);
    const [one, other] = [new Share(room), new Share(room)];
    one.set(2 * MIB);
    expect(() => other.set(2 * MIB)).toThrow(
      expect.objectContaining({
        code: 'RUNNER_UNAVAILABLE',
        details: { limit: '3 MiB for the documents of all sessions', until: 'another session ends' },
      }),
    );
    expect(room.left).toBe(MIB);
    // What it had in mind is not there yet: it need not begin.
    expect(() => other.requireWanted()).toThrow(expect.objectContaining({ code: 'RUNNER_UNAVAILABLE' }));
    one.set(MIB);
    other.requireWanted();
    other.set(2 * MIB);
    expect(room.left).toBe(0);
    one.close();
    one.set(3 * MIB);
    expect(room.left).toBe(MIB);
    other.close();
    other.close();
    expect(room.left).toBe(3 * MIB);
  });
});
