import { asAmount, assertInvariant, refuse, U64_MAX, type Address, type AmountUnits } from '@usufruct/kernel';
import { escrowAccount, ISSUANCE_ACCOUNT, journalOf, walletAccount, type AccountId } from '@usufruct/ledger';
import type { ChainActionPayloads, ChainEventData } from '@usufruct/protocol';
import { SUPPLY, type Change, type Collection, type Draft, type StateReader } from './collections.js';
import type { Room } from './room.js';

/** The most that one call of the faucet gives: a million of the local coin. */
export const MINT_CAP_UNITS = asAmount(1_000_000_000_000n);

export function mint(room: Room, { to, amountUnits }: ChainActionPayloads['mint']): void {
  if (amountUnits === 0n || amountUnits > MINT_CAP_UNITS) {
    throw refuse('INVALID_ARGUMENT', { field: 'amountUnits', expected: `from 1 to ${MINT_CAP_UNITS}` });
  }
  const minted = (room.draft.read('supply', SUPPLY)?.mintedUnits ?? 0n) + amountUnits;
  if (minted > U64_MAX) throw refuse('INVALID_ARGUMENT', { field: 'amountUnits', expected: 'a supply within u64' });
  room.draft.write('supply', SUPPLY, { mintedUnits: asAmount(minted) });
  credit(room.draft, to, amountUnits);
  room.emit({ type: 'Minted', to, amountUnits });
}

export function transfer(room: Room, { to, amountUnits }: ChainActionPayloads['transfer']): void {
  if (amountUnits === 0n) throw refuse('INVALID_ARGUMENT', { field: 'amountUnits', expected: 'more than zero' });
  debit(room.draft, room.sender, amountUnits);
  credit(room.draft, to, amountUnits);
  room.emit({ type: 'Transferred', from: room.sender, to, amountUnits });
}

export function debit(draft: Draft, account: Address, amountUnits: AmountUnits): void {
  const balance = draft.balanceOf(account);
  if (balance < amountUnits) throw refuse('INSUFFICIENT_BALANCE', { account });
  draft.write('balance', account, { amountUnits: asAmount(balance - amountUnits) });
}

export function credit(draft: Draft, account: Address, amountUnits: AmountUnits): void {
  // The sum of all balances is at most the supply, which is within u64.
  draft.write('balance', account, { amountUnits: asAmount(draft.balanceOf(account) + amountUnits) });
}

/**
 * After every transaction: what the records gained and lost is exactly what the journal derives from the events, so
 * balances + escrows = minted still holds, and whoever replays the events has the same balances.
 */
export function assertMoneyConserved(base: StateReader, changes: readonly Change[], events: ChainEventData[]): void {
  const moved = new Map<AccountId, bigint>();
  const add = (account: AccountId, units: bigint): void => void moved.set(account, (moved.get(account) ?? 0n) + units);
  for (const change of changes) addChange(base, change, add);
  assertInvariant([...moved.values()].reduce((sum, units) => sum + units, 0n) === 0n, 'balances + escrows = minted');
  for (const event of events) {
    for (const { account, deltaUnits } of journalOf(event)) add(account, -deltaUnits);
  }
  assertInvariant(
    [...moved.values()].every((units) => units === 0n),
    'the journal of the events is what the balances did',
  );
}

const MONEY: ReadonlySet<Collection> = new Set(['balance', 'job', 'supply']);

function addChange(base: StateReader, change: Change, add: (account: AccountId, units: bigint) => void): void {
  const { collection, key, value } = change;
  if (value === null) return assertInvariant(!MONEY.has(collection), 'nothing that holds money is erased');
  if (collection === 'balance' && 'amountUnits' in value) {
    const before = base.read('balance', key)?.amountUnits ?? 0n;
    add(walletAccount(key as Address), value.amountUnits - before);
  } else if (collection === 'job' && 'escrowUnits' in value) {
    const before = base.read('job', key)?.escrowUnits ?? 0n;
    add(escrowAccount(value.id), value.escrowUnits - before);
  } else if (collection === 'supply' && 'mintedUnits' in value) {
    const before = base.read('supply', key)?.mintedUnits ?? 0n;
    add(ISSUANCE_ACCOUNT, before - value.mintedUnits);
  }
}
