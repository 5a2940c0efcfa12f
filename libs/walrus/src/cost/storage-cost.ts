import { refuse } from '@usufruct/kernel';

/** Storage is sold in whole units of encoded bytes. */
export const STORAGE_UNIT_BYTES = 1024 * 1024;
export const FROST_PER_WAL = 1_000_000_000n;

/** What storage nodes ask, in FROST. Voted anew for each epoch: a real price is read from the chain. */
export interface StoragePrices {
  /** For each unit and epoch. */
  readonly storageUnitFrost: bigint;
  /** For each unit, once, when a blob is registered. */
  readonly writeUnitFrost: bigint;
}

/** The mainnet's in its first epoch, as `walrus info` prints them in Walrus's documentation. For comparison, no offer. */
export const DOCUMENTED_PRICES: StoragePrices = { storageUnitFrost: 100_000n, writeUnitFrost: 20_000n };

export interface StorageCost {
  readonly units: number;
  readonly storageFrost: bigint;
  readonly writeFrost: bigint;
  readonly totalFrost: bigint;
}

/**
 * The WAL that registering a blob of this encoded size for so many epochs takes. Source: `reserve_space` and
 * `register_blob` in MystenLabs/walrus, contracts/walrus/sources/system/system_state_inner.move. Without gas, a relay's
 * tip and what Sui keeps for the object until it is deleted. Refuses `INVALID_ARGUMENT`.
 */
export function storageCost(encodedBytes: number, epochs: number, prices: StoragePrices): StorageCost {
  const units = unitsOf(encodedBytes);
  const storageFrost = BigInt(units) * epochsOf(epochs) * prices.storageUnitFrost;
  const writeFrost = BigInt(units) * prices.writeUnitFrost;
  return { units, storageFrost, writeFrost, totalFrost: storageFrost + writeFrost };
}

/** The WAL that so many further epochs take: nothing is written again. Refuses `INVALID_ARGUMENT`. */
export const extensionCostFrost = (encodedBytes: number, epochs: number, prices: StoragePrices): bigint =>
  BigInt(unitsOf(encodedBytes)) * epochsOf(epochs) * prices.storageUnitFrost;

function unitsOf(encodedBytes: number): number {
  if (!Number.isSafeInteger(encodedBytes) || encodedBytes < 1)
    throw refuse('INVALID_ARGUMENT', { field: 'encodedBytes', expected: 'a positive whole number of bytes' });
  return Math.ceil(encodedBytes / STORAGE_UNIT_BYTES);
}

function epochsOf(epochs: number): bigint {
  if (!Number.isSafeInteger(epochs) || epochs < 0)
    throw refuse('INVALID_ARGUMENT', { field: 'epochs', expected: 'a whole number of epochs' });
  return BigInt(epochs);
}
