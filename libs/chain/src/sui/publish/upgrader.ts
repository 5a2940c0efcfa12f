import type { Transaction } from '@mysten/sui/transactions';
import { refuse, toHex, type Address, type Hex32, type TimestampMs } from '@usufruct/kernel';
import type { ClientWithCoreApi } from '@mysten/sui/client';
import { askSui } from '../failures.js';
import { readMove } from '../layout/move-types.js';
import { upgradeTimelockObject } from '../layout/objects.js';
import { KeptTransactions, madePackage, SUI_TIMEOUT_MS, type SuiResult } from './kept-transactions.js';
import { packageDigest, type MovePackage } from './package-digest.js';
import type { Publication, PublisherOptions } from './publisher.js';
import {
  announceTransaction,
  burnTransaction,
  cancelTransaction,
  upgradeTransaction,
  type TimelockIds,
} from './upgrade-transactions.js';

export type UpgradeChange =
  | { readonly kind: 'announce'; readonly digest: string }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'upgrade'; readonly pack: MovePackage }
  | { readonly kind: 'burn' };

/**
 * Announce an upgrade, cancel what is announced, carry it out, or destroy the right to upgrade. Can be killed anywhere
 * and called again with what was kept; an earlier change that is not over is settled first.
 *
 * Refuses `NOT_FOUND` where nothing is announced or there is no right to upgrade, `ALREADY_EXISTS` where another digest
 * is announced, `CONFIG_INVALID` for code that is not what was announced, `FORBIDDEN` before the delay has passed and
 * after the time to use it, `SETTLEMENT_UNKNOWN` while nothing is known of what was sent.
 */
export async function changeUpgrade(
  begun: Publication,
  change: UpgradeChange,
  options: PublisherOptions,
): Promise<Publication> {
  const { keep, signer, client } = options;
  const transactions = new KeptTransactions(options);
  await transactions.requireChain(begun.chainId);
  const digest = digestOf(change);
  const { changing } = begun;
  const known =
    changing === undefined || (changing.kind === change.kind && changing.digest === digest)
      ? begun
      : await settled(transactions, begun, options);
  const ids = timelockIds(known);
  if (known.changing === undefined) await requirePossible(client, ids, change, digest);
  const result = await transactions.once(
    known.changing?.transaction,
    () => transactionOf(change, ids, known, signer.address),
    (transaction) => keep({ ...known, changing: { kind: change.kind, digest, transaction } }),
  );
  const next = afterChange(known, change.kind, result);
  await keep(next);
  return next;
}

/** Without the earlier change: with what it did, if it happened. */
async function settled(
  transactions: KeptTransactions,
  { changing, ...known }: Publication,
  { keep }: PublisherOptions,
): Promise<Publication> {
  if (changing === undefined) return known;
  const became = await transactions.became(changing.transaction);
  if (became === 'open') throw refuse('SETTLEMENT_UNKNOWN', { digest: changing.transaction.digest });
  const next = typeof became === 'object' ? afterChange(known, changing.kind, became) : known;
  await keep(next);
  return next;
}

function afterChange(
  { changing: _over, ...known }: Publication,
  kind: UpgradeChange['kind'],
  result: SuiResult,
): Publication {
  if (kind === 'upgrade') return { ...known, callPackageId: madePackage(result) };
  return kind === 'burn' ? { ...known, timelockId: null, upgradeAdminId: null } : known;
}

const digestOf = (change: UpgradeChange): string | null =>
  change.kind === 'announce' ? change.digest : change.kind === 'upgrade' ? packageDigest(change.pack) : null;

function timelockIds({ packageId, timelockId, upgradeAdminId }: Publication): TimelockIds {
  if (packageId === undefined || !timelockId || !upgradeAdminId) {
    throw refuse('NOT_FOUND', { object: 'right to upgrade', reason: 'nothing is published, or it was destroyed' });
  }
  return { packageId, timelockId, upgradeAdminId };
}

function transactionOf(change: UpgradeChange, ids: TimelockIds, known: Publication, sender: Address): Transaction {
  switch (change.kind) {
    case 'announce':
      return announceTransaction(ids, change.digest, sender);
    case 'cancel':
      return cancelTransaction(ids, sender);
    case 'upgrade':
      return upgradeTransaction(ids, change.pack, known.callPackageId ?? ids.packageId, sender);
    case 'burn':
      return burnTransaction(ids, sender);
  }
}

/** The chain compares ticket and code, too; what is wrong can be said better here. */
async function requirePossible(
  client: ClientWithCoreApi,
  ids: TimelockIds,
  change: UpgradeChange,
  digest: string | null,
): Promise<void> {
  if (change.kind !== 'upgrade') return;
  const { announced } = await readTimelock(client, ids.timelockId);
  if (announced === null) throw refuse('NOT_FOUND', { object: 'announced upgrade' });
  if (announced.digest !== digest) {
    const reason = `its digest is ${digest}, announced is ${announced.digest}`;
    throw refuse('CONFIG_INVALID', { setting: 'package', reason });
  }
}

export interface TimelockState {
  readonly delayMs: number;
  /** Digest as the compiler prints it. */
  readonly announced: {
    readonly digest: string;
    readonly readyAtMs: TimestampMs;
    readonly lapsesAtMs: TimestampMs;
  } | null;
}

/** What the timelock says now. Refuses `NOT_FOUND` for an object that is not there (any more). */
export async function readTimelock(client: ClientWithCoreApi, timelockId: Hex32): Promise<TimelockState> {
  const { object } = await askSui(
    (signal) => client.core.getObject({ objectId: timelockId, include: { content: true }, signal }),
    { timeoutMs: SUI_TIMEOUT_MS },
  );
  const { delay_ms: delayMs, announced } = readMove(upgradeTimelockObject, Uint8Array.from(object.content));
  if (announced === null) return { delayMs, announced };
  const { digest, ready_at_ms: readyAtMs, lapses_at_ms: lapsesAtMs } = announced;
  return { delayMs, announced: { digest: toHex(digest), readyAtMs, lapsesAtMs } };
}
