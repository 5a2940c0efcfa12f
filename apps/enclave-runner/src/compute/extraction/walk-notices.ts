import { chainInfoOf } from '@usufruct/chain';
import type { DatabaseSync } from 'node:sqlite';
import { sign } from '@usufruct/crypto';
import { toBase64, type DaoId } from '@usufruct/kernel';
import { inTransaction } from '@usufruct/service';
import { TAGS, WalkNoticeBcs, type SignedWalkNotice, type WalkNotice } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';

export const WALK_NOTICE_SCHEMA = `
  create table if not exists walk_notices (
    dataset text not null, asker text not null, dao text not null, noticed_at_ms integer not null,
    notice blob not null, signature blob not null,
    primary key (dataset, asker)
  ) strict, without rowid;
`;
const KEPT = 1_000;
const SHOWN = 100;

/** What this runner has signed about askers, one notice for each and dataset. The host can delete them, not forge them. */
export class WalkNotices {
  constructor(private readonly database: DatabaseSync) {}

  put({ datasetId, asker, daoId, noticedAtMs }: WalkNotice, notice: Uint8Array, signature: Uint8Array): void {
    inTransaction(this.database, () => {
      this.database
        .prepare('insert or replace into walk_notices values (?, ?, ?, ?, ?, ?)')
        .run(datasetId, asker, daoId, noticedAtMs, notice, signature);
      this.database
        .prepare(
          `delete from walk_notices where (dataset, asker) in
             (select dataset, asker from walk_notices order by noticed_at_ms desc limit -1 offset ?)`,
        )
        .run(KEPT);
    });
  }

  /** Of a DAO, the newest first. */
  of(daoId: DaoId): SignedWalkNotice[] {
    return this.database
      .prepare('select notice, signature from walk_notices where dao = ? order by noticed_at_ms desc limit ?')
      .all(daoId, SHOWN)
      .map(({ notice, signature }) => ({
        notice: toBase64(notice as Uint8Array),
        signature: toBase64(signature as Uint8Array),
      }));
  }
}

/** Keep it, signed with the attested key of now. */
export async function noteWalk(
  { chain, keys, clock, store }: Pick<RunnerContext, 'chain' | 'keys' | 'clock' | 'store'>,
  seen: Omit<WalkNotice, 'chainId' | 'runnerSigningKey' | 'noticedAtMs'>,
): Promise<void> {
  const { chainId } = await chainInfoOf(chain);
  const { publicKey: runnerSigningKey, secretKey } = keys.signing;
  const notice: WalkNotice = { chainId, ...seen, runnerSigningKey, noticedAtMs: clock.nowMs() };
  const message = WalkNoticeBcs.serialize(notice).toBytes();
  const signature = await sign({ secretKey, domainTag: TAGS.walkNotice, message });
  store.walks.put(notice, message, signature);
}
