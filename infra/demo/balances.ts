import type { Address } from '@usufruct/kernel';
import type { Payout } from '@usufruct/protocol';
import type { Party } from './party.js';
import { right, units, type Teller } from './teller.js';

export interface Line {
  readonly name: string;
  readonly address: Address;
  readonly beforeUnits: bigint;
  /** Only who signs in can have the API's ledger compared; the runner and the protocol have no one here. */
  readonly party: Party | null;
}
export interface Settled {
  readonly name: string;
  readonly address: Address;
  /** What this run changed, on the chain. */
  readonly changeUnits: bigint;
  /** What the receipts, the escrow and the faucet say it must be. */
  readonly expectedUnits: bigint;
  /** Whether the API's double-entry book and the chain agree for this account; null where nobody here can ask. */
  readonly ledgerAgrees: boolean | null;
}
export interface Flows {
  /** Made by the faucet in this run. */
  readonly mintedTo: Address;
  readonly mintedUnits: bigint;
  readonly payouts: readonly Payout[];
}

/** Compare every account with what was paid, to the unit, and the API's book with the chain. */
export async function settle(lines: readonly Line[], reader: Party, flows: Flows): Promise<Settled[]> {
  const spentUnits = flows.payouts.reduce((sum, { amountUnits }) => sum + amountUnits, 0n);
  return Promise.all(
    lines.map(async ({ name, address, beforeUnits, party }) => {
      const nowUnits = await reader.client.chain.balanceOf(address);
      const earnedUnits = flows.payouts
        .filter(({ account }) => account === address)
        .reduce((sum, { amountUnits }) => sum + amountUnits, 0n);
      const paidIn = address === flows.mintedTo ? flows.mintedUnits - spentUnits : 0n;
      const reconciliation = party === null ? null : await caughtUp(party);
      return {
        name,
        address,
        changeUnits: nowUnits - beforeUnits,
        expectedUnits: earnedUnits + paidIn,
        ledgerAgrees: reconciliation,
      };
    }),
  );
}

const CATCH_UP_TRIES = 20;
/** The projection follows the chain by a moment: a difference counts only if it stays. */
async function caughtUp(party: Party): Promise<boolean> {
  for (let left = CATCH_UP_TRIES; ; left--) {
    const { agrees } = await party.client.payouts.reconcile();
    if (agrees || left === 0) return agrees;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

export function tellBalances(settled: readonly Settled[], teller: Teller): void {
  const width = Math.max(...settled.map(({ changeUnits }) => units(changeUnits).length)) + 1;
  teller.table([
    ['', right('this run', width), 'as the receipts say', 'API ledger = chain'],
    ...settled.map(({ name, changeUnits, expectedUnits, ledgerAgrees }) => [
      name,
      right(units(changeUnits), width),
      changeUnits === expectedUnits ? 'yes, to the unit' : `NO: ${units(expectedUnits)}`,
      ledgerAgrees === null ? '' : ledgerAgrees ? 'yes' : 'NO',
    ]),
  ]);
}
