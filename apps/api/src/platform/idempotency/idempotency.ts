import { createHash } from 'node:crypto';
import { refuse, type Address, type TimestampMs } from '@usufruct/kernel';
import { toWireJson } from '@usufruct/protocol';
import { insertRows, toDate, type Database } from '../prisma/index.js';

export interface Claim {
  readonly owner: Address;
  readonly key: string;
  readonly operation: string;
  /** Everything in the request that makes it this one and no other. */
  readonly request: Readonly<Record<string, unknown>>;
}

/**
 * Take a key for a request, in the transaction that carries it out. True for the first time; false when the same
 * request came before; `IDEMPOTENCY_KEY_REUSED` when another one did. Of two at the same time the second waits for
 * the first to commit.
 */
export async function claimKey(tx: Database, claim: Claim, now: TimestampMs): Promise<boolean> {
  const { owner, key, operation } = claim;
  if (!/^[\x21-\x7e]{8,128}$/.test(key)) {
    throw refuse('INVALID_ARGUMENT', { field: 'idempotencyKey', expected: '8 to 128 visible ASCII characters' });
  }
  const requestHash = createHash('sha256').update(canonical(claim)).digest('hex');
  const row = { owner, key, operation, request_hash: requestHash, created_at: toDate(now) };
  const count = await insertRows(tx, 'idempotency_key', [row], { skipDuplicates: true });
  if (count === 1) return true;
  const first = await tx.idempotencyKey.findUniqueOrThrow({ where: { owner_key: { owner, key } } });
  if (first.requestHash !== requestHash) throw refuse('IDEMPOTENCY_KEY_REUSED');
  return false;
}

const canonical = ({ operation, request }: Claim): string => {
  const entries = Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1));
  return toWireJson([operation, entries]);
};
