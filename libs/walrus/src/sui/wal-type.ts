import type { ClientWithCoreApi } from '@mysten/sui/client';
import type { WalrusClient } from '@mysten/walrus';
import { refuse } from '@usufruct/kernel';

/** The coin that one stakes with; the package does not say which it is. */
export async function walTypeOf(client: ClientWithCoreApi, walrus: WalrusClient): Promise<string> {
  const packageId = (await walrus.getBlobType()).split('::')[0]!;
  const { function: stake } = await client.core.getMoveFunction({
    packageId,
    moduleName: 'staking',
    name: 'stake_with_pool',
  });
  const coin = stake.parameters[1]?.body;
  const wal = coin?.$kind === 'datatype' ? coin.datatype.typeParameters[0] : undefined;
  if (wal?.$kind !== 'datatype') throw refuse('UPSTREAM_INVALID', { upstream: 'Walrus contracts', field: 'WAL' });
  return wal.datatype.typeName;
}
