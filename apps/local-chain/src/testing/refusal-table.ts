import { beforeAll, describe, expect, it } from '@jest/globals';
import type { ErrorCode } from '@usufruct/kernel';
import type { ChainAction } from '@usufruct/protocol';
import type { DaoWorld, Signer } from './dao-world.js';

export type Sent = readonly [Signer, ...ChainAction[]];
export type Row<W extends DaoWorld = DaoWorld> = readonly [
  name: string,
  refusal: 'ok' | ErrorCode | `${ErrorCode} ${string}`,
  send: (w: W) => Sent | Promise<Sent>,
];

/**
 * One test per row: what is sent, by whom, and the one refusal that must come back: its code, and the check or field
 * that it names. A refused transaction must change nothing.
 */
export function table<W extends DaoWorld>(title: string, make: () => Promise<W>, rows: readonly Row<W>[]): void {
  describe(title, () => {
    let shared: W;
    beforeAll(async () => void (shared = await make()));
    it.each(rows)('%s: %s', async (_name, refusal, send) => {
      // What succeeds changes the world, so it gets its own.
      const world = refusal === 'ok' ? await make() : shared;
      const [signer, ...actions] = await send(world);
      const before = [world.store.lastSeq, world.balanceOf(world.requester)];
      expect(await world.refusal(signer, ...actions)).toBe(refusal);
      if (refusal !== 'ok') expect([world.store.lastSeq, world.balanceOf(world.requester)]).toEqual(before);
    });
  });
}
