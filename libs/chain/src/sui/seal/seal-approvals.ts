import type { ClientWithCoreApi } from '@mysten/sui/client';
import { Transaction } from '@mysten/sui/transactions';
import {
  fromHex,
  refuse,
  type Address,
  type ContributionId,
  type GrantId,
  type Hex32,
  type JobId,
  type RunnerId,
  type UsufructError,
} from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { abortRefusal } from '../abort-codes.js';
import { call, pure } from '../actions/building.js';
import { objectsOf } from '../actions/objects-of.js';
import type { EventIndex } from '../events/event-index.js';
import { askSui, suiRefusal } from '../failures.js';
import type { SuiSettings } from '../settings.js';

/** Keys that a runner wants from Seal's key servers for one job. */
export interface SealRequest {
  readonly jobId: JobId;
  readonly runnerId: RunnerId;
  /** Sui's address of the runner's attested signing key; the contract refuses every other sender. */
  readonly sender: Address;
  readonly uses: readonly { readonly contributionId: ContributionId; readonly grantId: GrantId }[];
}

/** What Seal needs of a Sui network with our package. */
export interface SealApprovals {
  /** The namespace of every identity: the package as first published, whatever version runs. */
  readonly packageId: Hex32;
  readonly client: ClientWithCoreApi;
  /**
   * The commands, without sender and gas, that the servers run on their own full nodes and never send: one
   * `grant::seal_approve` a use. Nothing is signed here. Refuses `NOT_FOUND` for what the chain does not have.
   */
  transactionOf(request: SealRequest): Promise<Uint8Array>;
  /** Why the contracts would refuse these commands now, on our own full node; null where they would not. */
  refusalOf(request: SealRequest): Promise<UsufructError | null>;
}

export interface SealApprovalsOptions {
  readonly client: ClientWithCoreApi;
  readonly settings: SuiSettings;
  readonly index: EventIndex;
  readonly timeoutMs: number;
}

export function sealApprovals({ client, settings, index, timeoutMs }: SealApprovalsOptions): SealApprovals {
  const build = async ({ jobId, runnerId, sender, uses }: SealRequest): Promise<Transaction> => {
    if (uses.length === 0 || uses.length > LIMITS.sealUsesPerRequest) {
      throw refuse('INVALID_ARGUMENT', { field: 'uses', expected: `1 to ${LIMITS.sealUsesPerRequest}` });
    }
    await index.sync();
    const tx = new Transaction();
    tx.setSender(sender);
    const building = { tx, settings, index, registered: new Map() };
    const { address, bytes } = pure(building);
    const { dao, dataset, job, coin } = objectsOf(building).job(jobId);
    for (const { contributionId, grantId } of uses) {
      const names = [address(contributionId), address(grantId), address(runnerId)];
      const args = [bytes(fromHex(contributionId)), dao, dataset, job, ...names, objectsOf(building).clock()];
      call(building, 'grant::seal_approve', args, [coin]);
    }
    return tx;
  };
  return {
    packageId: settings.packageId,
    client,
    transactionOf: async (request) => {
      const tx = await build(request);
      try {
        return await tx.build({ client, onlyTransactionKind: true });
      } catch (error) {
        throw suiRefusal(error);
      }
    },
    refusalOf: async (request) => {
      const transaction = await build(request);
      // Unchecked, so that the sender, who never has any, needs no gas: the contracts run all the same.
      const result = await askSui(
        (signal) => client.core.simulateTransaction({ transaction, checksEnabled: false, signal }),
        { timeoutMs },
      );
      const { status } = result.$kind === 'Transaction' ? result.Transaction : result.FailedTransaction;
      return status.success ? null : abortRefusal(status.error);
    },
  };
}
