import { createHmac } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  concatBytes,
  fromHex,
  utf8,
  type Address,
  type DaoId,
  type EpochId,
  type RunnerId,
  type TimestampMs,
} from '@usufruct/kernel';
import { EpochSharesBcs, type EpochLeaf } from '@usufruct/protocol';
import { inTransaction } from '@usufruct/service';
import type { RateLimiter } from '../rate-limit.js';
import type { AtRest, EncryptedTable } from '../store/at-rest.js';
import type { SignedStatement } from './equivocations.js';
import { LeafTree, SHARE_BYTES, type ProvenLeaf } from './leaf-tree.js';

/** What a settler may sign only once. */
export interface Attempt {
  readonly daoId: DaoId;
  readonly number: bigint;
  readonly attempt: number;
  readonly settler: RunnerId;
}
export interface KeptEpoch {
  readonly of: Attempt;
  readonly leaves: readonly EpochLeaf[];
  /** False for one that was on chain before this holder recomputed it. */
  readonly isSigned: boolean;
  readonly atMs: TimestampMs;
}
export interface EpochsParts {
  readonly database: DatabaseSync;
  readonly atRest: AtRest;
  /** 32 bytes, under which accounts are looked up. */
  readonly indexKey: Uint8Array;
  /** Of trees built for all accounts together: only accounts that have a leaf cost one. */
  readonly builds: RateLimiter;
}
interface KeptTree {
  readonly leaves: number;
  readonly tree: Promise<LeafTree>;
}
interface EpochRow {
  readonly number: string;
  /** Of the encrypted shares. */
  readonly bytes: number;
}

/** Trees stay while those used last have at most so many leaves together: some hundred bytes each. */
const LEAVES_KEPT = 262_144;
const MACS_A_TURN = 256;

/**
 * Epochs that this holder has recomputed, and signed unless they were on chain by then, with all their leaves, encrypted
 * at rest. Which account has a leaf is looked up by a keyed hash, so that an account without one costs a lookup, however
 * many it invents.
 */
export class CountersignedEpochs {
  /** In the order of their last use. */
  private readonly trees = new Map<EpochId, KeptTree>();
  /** One epoch is decrypted and built at a time. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: EpochsParts) {}

  /** Another statement of the attempt that this holder has kept. */
  otherOf({ daoId, number, attempt, settler }: Attempt, id: EpochId): EpochId | null {
    const row = this.parts.database
      .prepare(
        `SELECT epoch_id AS id FROM countersigned_epochs
         WHERE dao_id = ? AND number = ? AND attempt = ? AND settler = ? AND epoch_id <> ?`,
      )
      .get(daoId, String(number), attempt, settler, id) as { id: EpochId } | undefined;
    return row?.id ?? null;
  }

  isSigned(id: EpochId): boolean {
    const query = 'SELECT 1 FROM countersigned_epochs WHERE epoch_id = ? AND is_signed = 1';
    return this.parts.database.prepare(query).get(id) !== undefined;
  }

  /** Durable when it resolves. Nothing is kept of a statement to be signed when another one has taken the attempt. */
  async insert({ id, statement, settlerSignature }: SignedStatement, kept: KeptEpoch): Promise<void> {
    const { atRest, database } = this.parts;
    const { of, leaves, isSigned, atMs } = kept;
    const shares = leaves.map(({ account, amountUnits, salt }) => ({ account, amountUnits, salt }));
    const bytes = EpochSharesBcs.serialize(shares).toBytes();
    const macs = await this.macsOf(id, leaves);
    const attempt = [of.daoId, String(of.number), of.attempt, of.settler] as const;
    inTransaction(database, () => {
      const encrypted = atRest.encrypt(aboutEpoch(id), bytes);
      const { changes } = database
        .prepare('INSERT OR IGNORE INTO countersigned_epochs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
        .run(id, ...attempt, encrypted, atMs, isSigned ? 1 : 0, statement, settlerSignature);
      if (Number(changes) === 1) this.insertPlaces(macs);
    });
  }

  /** Whether this holder has recomputed it, and it is of this DAO. */
  has(daoId: DaoId, id: EpochId): boolean {
    return this.rowOf(daoId, id) !== undefined;
  }

  /** The account's one leaf with its proof; null when it has none. Refuses `RATE_LIMITED`. */
  async leafOf(daoId: DaoId, id: EpochId, account: Address): Promise<ProvenLeaf | null> {
    const row = this.rowOf(daoId, id);
    if (row === undefined) return null;
    const found = this.parts.database
      .prepare('SELECT leaf_index AS place FROM epoch_accounts WHERE mac = ?')
      .get(this.macOf(id, account)) as { place: number } | undefined;
    if (found === undefined) return null;
    const proven = (await this.treeOf(daoId, id, row)).provenAt(found.place);
    return proven.leaf.account === account ? proven : null;
  }

  private rowOf(daoId: DaoId, id: EpochId): EpochRow | undefined {
    return this.parts.database
      .prepare(`SELECT number, length(encrypted) AS bytes FROM countersigned_epochs WHERE epoch_id = ? AND dao_id = ?`)
      .get(id, daoId) as EpochRow | undefined;
  }

  private treeOf(daoId: DaoId, id: EpochId, { number, bytes }: EpochRow): Promise<LeafTree> {
    const kept = this.trees.get(id);
    if (kept === undefined) this.parts.builds.take('all', 'trees of leaves built for everybody');
    const { tree, leaves } = kept ?? {
      leaves: Math.ceil(bytes / SHARE_BYTES),
      tree: this.inTurn(async () => LeafTree.build({ daoId, number: BigInt(number) }, await this.sharesOf(id))),
    };
    this.trees.delete(id);
    this.trees.set(id, { tree, leaves });
    if (kept === undefined) {
      tree.catch(() => this.trees.delete(id));
      this.forgetOldest();
    }
    return tree;
  }

  private forgetOldest(): void {
    let leaves = [...this.trees.values()].reduce((sum, kept) => sum + kept.leaves, 0);
    for (const [id, kept] of this.trees) {
      if (leaves <= LEAVES_KEPT || this.trees.size === 1) return;
      this.trees.delete(id);
      leaves -= kept.leaves;
    }
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work);
    this.queue = result.catch(() => undefined);
    return result;
  }

  private async sharesOf(id: EpochId): Promise<Uint8Array> {
    const { encrypted } = this.parts.database
      .prepare('SELECT encrypted FROM countersigned_epochs WHERE epoch_id = ?')
      .get(id) as { encrypted: Uint8Array };
    return this.parts.atRest.decrypt(aboutEpoch(id), encrypted);
  }

  private insertPlaces(macs: readonly Uint8Array[]): void {
    const insert = this.parts.database.prepare('INSERT INTO epoch_accounts VALUES (?, ?)');
    for (const [place, mac] of macs.entries()) insert.run(mac, place);
  }

  private async macsOf(id: EpochId, leaves: readonly EpochLeaf[]): Promise<Uint8Array[]> {
    const macs: Uint8Array[] = [];
    for (const [i, { account }] of leaves.entries()) {
      if (i % MACS_A_TURN === 0) await nextTurn();
      macs.push(this.macOf(id, account));
    }
    return macs;
  }

  /** With the epoch in it, the rows of two epochs do not show that an account is in both. */
  private macOf(id: EpochId, account: Address): Uint8Array {
    const about = concatBytes(fromHex(id), fromHex(account));
    return Uint8Array.from(createHmac('sha256', this.parts.indexKey).update(about).digest());
  }
}

const aboutEpoch = (id: EpochId): Uint8Array => utf8(`epoch/${id}`);
export const EPOCHS_TABLE: EncryptedTable = {
  table: 'countersigned_epochs',
  aboutRow: (row) => aboutEpoch(row['epoch_id'] as EpochId),
  rowsAtOnce: 8,
};
