import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { toBase64, toHex } from '@usufruct/kernel';
import { eventDigest, replayEventLog } from './event-log.js';

const sha384 = (...parts: Uint8Array[]): Buffer => createHash('sha384').update(Buffer.concat(parts)).digest();
const payload = Uint8Array.of(1, 2, 3);
// le32(0x08000001) = 01 00 00 08, then ":name:" and the payload.
const expectedDigest = sha384(Buffer.from('01000008', 'hex'), Buffer.from(':app:'), payload);
const event = { name: 'app', payload: toBase64(payload), digest: expectedDigest.toString('hex') };

describe('event log', () => {
  it('hashes an event as dstack does', async () => {
    expect(toHex(await eventDigest('app', payload))).toBe(event.digest);
  });

  it('extends the register from zeros', async () => {
    const once = sha384(Buffer.alloc(48), expectedDigest);
    const twice = sha384(once, expectedDigest);
    expect(toHex((await replayEventLog([event, event]))!)).toBe(twice.toString('hex'));
    expect(await replayEventLog([])).toEqual(new Uint8Array(48));
  });

  it('takes no name under which another event has the same digest', async () => {
    // "app" with ":x" and "app:" with "x" are the same bytes once they are joined.
    const hidden = { name: 'app', payload: toBase64(new TextEncoder().encode(':x')) };
    const shown = { name: 'app:', payload: toBase64(new TextEncoder().encode('x')) };
    const digest = sha384(Buffer.from('01000008', 'hex'), Buffer.from(':app::x')).toString('hex');
    expect(await replayEventLog([{ ...hidden, digest }])).not.toBeNull();
    expect(await replayEventLog([{ ...shown, digest }])).toBeNull();
    for (const name of ['', 'a b', 'a\n', 'ä']) {
      const own = toHex(await eventDigest(name, payload));
      expect([name, await replayEventLog([{ name, payload: toBase64(payload), digest: own }])]).toEqual([name, null]);
    }
  });

  it('does not trust a supplied digest', async () => {
    expect(await replayEventLog([{ ...event, payload: toBase64(Uint8Array.of(9)) }])).toBeNull();
    expect(await replayEventLog([{ ...event, digest: 'ab'.repeat(48) }])).toBeNull();
  });
});
