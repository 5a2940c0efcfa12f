import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from '@jest/globals';
import { toHex32, type DaoId, type Digest } from '@usufruct/kernel';
import { PayoutStore } from './payout-store.js';

it('a file from before times were kept is read on, and what waits in it counts as old', () => {
  const folder = mkdtempSync(join(tmpdir(), 'payout-store-'));
  const daoId = toHex32<DaoId>(new Uint8Array(32).fill(1));
  const digest = toHex32<Digest>(new Uint8Array(32).fill(2));
  const old = new DatabaseSync(join(folder, 'payout.sqlite'));
  old.exec(`
    create table private_receipts (
      dao_id text not null, number integer not null, digest text not null, receipt_chain text not null,
      pooled_units text not null, sender text not null,
      primary key (dao_id, number)
    ) strict, without rowid;
  `);
  old.prepare('insert into private_receipts values (?, 1, ?, ?, ?, ?)').run(daoId, digest, digest, '7', daoId);
  old.close();
  for (let opened = 0; opened < 2; opened++) {
    const store = PayoutStore.openIn(folder);
    expect(store.run(daoId, 1n, 10, digest)).toMatchObject({ digests: [digest], pooledUnits: [7n], settledAtMs: [0] });
    store.close();
  }
  rmSync(folder, { recursive: true });
});
