import type { DatabaseSync } from 'node:sqlite';
import { utf8, type DaoId, type EpochId, type RunnerId, type TimestampMs } from '@usufruct/kernel';
import { EpochTree } from '@usufruct/ledger';
import { EpochSharesBcs, type EpochLeaf } from '@usufruct/protocol';
import type { AtRest } from '../store/at-rest.js';

/** What a settler may sign only once. */
export interface Attempt {
  readonly daoId: DaoId;
  readonly number: bigint;
  readonly attempt: number;
  readonly settler: RunnerId;
}
export interface KnownEpoch {
  readonly leaves: readonly EpochLeaf[];
  readonly tree: EpochTree;
}

/** Trees are built from their leaves when somebody asks; the last few stay. */
const TREES_KEPT = 8;

/** Epochs that this holder has recomputed and signed, with all their leaves, encrypted at rest. */
export class CountersignedEpochs {
  private readonly trees = new Map<EpochId, KnownEpoch>();

  constructor(
    private readonly database: DatabaseSync,
    private readonly atRest: AtRest,
  ) {}

  /** The statement that this holder has signed for the attempt. */
  signedFor({ daoId, number, attempt, settler }: Attempt): EpochId | null {
    const row = this.database
      .prepare(
        'SELECT epoch_id AS id FROM countersigned_epochs WHERE dao_id = ? AND number = ? AND attempt = ? AND settler = ?',
      )
      .get(daoId, String(number), attempt, settler) as { id: EpochId } | undefined;
    return row?.id ?? null;
  }

  /** Durable when it resolves. False when another statement has taken the attempt: then nothing may be signed. */
  async insert(id: EpochId, of: Attempt, leaves: readonly EpochLeaf[], signedAtMs: TimestampMs): Promise<boolean> {
    const shares = leaves.map(({ account, amountUnits, salt }) => ({ account, amountUnits, salt }));
    const encrypted = await this.atRest.encrypt(aboutEpoch(id), EpochSharesBcs.serialize(shares).toBytes());
    this.database
      .prepare('INSERT OR IGNORE INTO countersigned_epochs VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(id, of.daoId, String(of.number), of.attempt, of.settler, encrypted, signedAtMs);
    return this.signedFor(of) === id;
  }

  /** Of this DAO; null for one that this holder has not recomputed. */
  async find(daoId: DaoId, id: EpochId): Promise<KnownEpoch | null> {
    const row = this.database
      .prepare('SELECT number, encrypted FROM countersigned_epochs WHERE epoch_id = ? AND dao_id = ?')
      .get(id, daoId) as { number: string; encrypted: Uint8Array } | undefined;
    if (row === undefined) return null;
    const kept = this.trees.get(id);
    if (kept !== undefined) return kept;
    const shares = EpochSharesBcs.parse(await this.atRest.decrypt(aboutEpoch(id), row.encrypted));
    const leaves = shares.map((share, index) => ({ daoId, number: BigInt(row.number), index, ...share }));
    const known = { leaves, tree: new EpochTree(leaves) };
    this.trees.set(id, known);
    const [oldest] = this.trees.keys();
    if (this.trees.size > TREES_KEPT && oldest !== undefined) this.trees.delete(oldest);
    return known;
  }
}

const aboutEpoch = (id: EpochId): Uint8Array => utf8(`epoch/${id}`);
