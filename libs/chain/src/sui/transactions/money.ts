import type { ClientWithCoreApi } from '@mysten/sui/client';
import { normalizeStructTag } from '@mysten/sui/utils';
import { refuse, type Address } from '@usufruct/kernel';
import { askSui } from '../failures.js';
import type { Sponsor } from './sponsor.js';

/** What a transaction takes out of the sender's coins, besides gas. */
export interface Spending {
  readonly coinType: string;
  readonly units: bigint;
}

export interface MoneyContext {
  readonly client: ClientWithCoreApi;
  readonly sponsor: Sponsor | undefined;
  readonly timeoutMs: number;
}

const SUI = normalizeStructTag('0x2::sui::SUI');

/**
 * Why a transaction could not be completed is told from what there is, not from the words of an error. Refuses
 * `INSUFFICIENT_BALANCE` where the coins, or what is left for gas, do not suffice.
 */
export async function requireMoney(context: MoneyContext, owner: Address, spending: Spending): Promise<void> {
  const { client, sponsor, timeoutMs } = context;
  const coinType = normalizeStructTag(spending.coinType);
  const balanceOf = async (coin: string): Promise<bigint> => {
    const { balance } = await askSui((signal) => client.core.getBalance({ owner, coinType: coin, signal }), {
      timeoutMs,
    });
    return BigInt(balance.balance);
  };
  if (spending.units > 0n && (await balanceOf(coinType)) < spending.units)
    throw refuse('INSUFFICIENT_BALANCE', { account: owner, coin: coinType });
  if (sponsor !== undefined) return;
  const left = (await balanceOf(SUI)) - (coinType === SUI ? spending.units : 0n);
  if (left <= 0n) throw refuse('INSUFFICIENT_BALANCE', { account: owner, coin: 'SUI', reason: 'gas' });
}
