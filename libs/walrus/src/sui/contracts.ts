import type { ClientWithCoreApi } from '@mysten/sui/client';
import { coinWithBalance, type Transaction, type TransactionObjectArgument } from '@mysten/sui/transactions';
import { normalizeStructTag } from '@mysten/sui/utils';
import { MAINNET_WALRUS_PACKAGE_CONFIG, TESTNET_WALRUS_PACKAGE_CONFIG, WalrusClient } from '@mysten/walrus';
import { fromBase64Url, refuse, toHex32, type Hex32 } from '@usufruct/kernel';
import { encodedBlobBytes, extensionCostFrost } from '../cost/index.js';
import { readBlobObject } from './blob-object.js';
import { chainRefusal } from './transactions.js';
import { walTypeOf } from './wal-type.js';

export interface WalrusContractsOptions {
  readonly network: 'testnet' | 'mainnet';
  readonly client: ClientWithCoreApi;
}

const CONFIG = { testnet: TESTNET_WALRUS_PACKAGE_CONFIG, mainnet: MAINNET_WALRUS_PACKAGE_CONFIG };
const DESTROY_ZERO = '0x2::coin::destroy_zero';

/**
 * Calls of Walrus's contracts on `Blob` objects that other calls of the same transaction hand over, as those in custody
 * are: `@mysten/walrus` builds them for objects that a wallet owns only. They are called as it calls them: of the package
 * in force, with a coin of exactly the price, of which nothing may be left. Refuses `CHAIN_UNAVAILABLE`, and `MANIFEST_MISMATCH` to pay for more storage than a blob takes.
 */
export function walrusContracts({ network, client }: WalrusContractsOptions) {
  const walrus = new WalrusClient({ network, suiClient: client });
  const { systemObjectId } = CONFIG[network];
  /** The package keeps what it has read for good: prices and package change with the epochs. */
  const anew = async <T>(ask: (walrus: WalrusClient) => Promise<T>): Promise<T> => {
    walrus.reset();
    try {
      return await ask(walrus);
    } catch (error) {
      throw chainRefusal(error);
    }
  };
  const system = async (name: string) => ({
    package: await anew(async () => (await walrus.systemObject()).package_id),
    module: 'system',
    function: name,
  });
  return {
    blobType: () => anew(async () => normalizeStructTag(await walrus.getBlobType())),
    currentEpoch: () => anew(async () => (await walrus.systemState()).committee.epoch),
    read(content: Uint8Array) {
      const { blobId, objectId, sizeBytes, endEpoch, deletable, certified } = readBlobObject(content);
      const blob = toHex32<Hex32>(fromBase64Url(blobId, 'blobId'));
      return { blob, objectId, sizeBytes, endEpoch, deletable, certified };
    },
    async extend(tx: Transaction, object: TransactionObjectArgument, content: Uint8Array, epochs: number) {
      const { coinType, price, shards } = await anew(async () => {
        const { storage_price_per_unit_size: price, committee } = await walrus.systemState();
        const coinType = normalizeStructTag(await walTypeOf(client, walrus));
        return { coinType, price: BigInt(price), shards: committee.n_shards };
      });
      const { encodedBytes, sizeBytes } = readBlobObject(content);
      // Walrus takes a small blob in storage of any size, and whoever deletes it has the rest of that storage.
      if (encodedBytes > encodedBlobBytes(sizeBytes, shards))
        throw refuse('MANIFEST_MISMATCH', { field: 'storage', reason: 'more of it than the blob takes' });
      const units = extensionCostFrost(encodedBytes, epochs, { storageUnitFrost: price, writeUnitFrost: 0n });
      const payment = tx.add(coinWithBalance({ type: coinType, balance: units }));
      const args = [tx.object(systemObjectId), object, tx.pure.u32(epochs), payment];
      tx.moveCall({ ...(await system('extend_blob')), arguments: args });
      tx.moveCall({ target: DESTROY_ZERO, typeArguments: [coinType], arguments: [payment] });
      return { coinType, units };
    },
    async delete(tx: Transaction, object: TransactionObjectArgument): Promise<TransactionObjectArgument> {
      return tx.moveCall({ ...(await system('delete_blob')), arguments: [tx.object(systemObjectId), object] });
    },
  };
}
