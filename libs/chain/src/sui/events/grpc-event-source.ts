import { GrpcTypes, parseGrpcTransactionResponse, type SuiGrpcClient } from '@mysten/sui/grpc';
import { fromBase64, toBase64 } from '@mysten/sui/utils';
import { asId, asTimestampMs, refuse, type Address, type Hex32 } from '@usufruct/kernel';
import { fromSuiDigest } from '../digests.js';
import { askSui } from '../failures.js';
import { ownEventName, type SuiEventPage, type SuiEventSource, type SuiEventTransaction } from './event-source.js';

/** What is used of the client: the ledger service of a full node. */
export type LedgerService = Pick<SuiGrpcClient['ledgerService'], 'listTransactions'>;

export interface GrpcEventSourceOptions {
  readonly ledger: LedgerService;
  /** Every version of our package that brought types of its own. */
  readonly packageIds: readonly Hex32[];
  readonly timeoutMs: number;
}

const PAGE = 100;
const PATHS = [
  'digest',
  'transaction.digest',
  'checkpoint',
  'transaction_index',
  'timestamp',
  'effects.status',
  'events',
];
/** Why a list ends before the ledger does. */
const MORE: readonly (GrpcTypes.QueryEndReason | undefined)[] = [
  GrpcTypes.QueryEndReason.ITEM_LIMIT,
  GrpcTypes.QueryEndReason.SCAN_LIMIT,
];

/**
 * Asks a full node for the transactions that have an event whose type is our package's, whoever called our functions
 * and by which way: the node's index of events finds also those that went through somebody else's package. Each comes
 * whole, so no event of one can be missing.
 */
export class GrpcEventSource implements SuiEventSource {
  constructor(private readonly options: GrpcEventSourceOptions) {}

  page(after: string | null, fromCheckpoint: bigint | null = null): Promise<SuiEventPage> {
    return askSui((signal) => this.#page(after, fromCheckpoint, signal), { timeoutMs: this.options.timeoutMs });
  }

  async #page(after: string | null, fromCheckpoint: bigint | null, abort: AbortSignal): Promise<SuiEventPage> {
    const { ledger, packageIds } = this.options;
    const call = ledger.listTransactions(
      {
        readMask: { paths: PATHS },
        filter: { terms: packageIds.map(termOf) },
        ...(fromCheckpoint !== null && { startCheckpoint: fromCheckpoint }),
        options: {
          limit: PAGE,
          ordering: GrpcTypes.Ordering.ASCENDING,
          ...(after !== null && { after: fromBase64(after) }),
        },
      },
      { abort },
    );
    const transactions: SuiEventTransaction[] = [];
    let cursor = after;
    let covered: bigint | undefined;
    let ended: GrpcTypes.QueryEnd | undefined;
    for await (const frame of call.responses) {
      if (frame.transaction !== undefined) transactions.push(this.#read(frame.transaction));
      if (frame.watermark?.cursor !== undefined) cursor = toBase64(frame.watermark.cursor);
      covered = frame.watermark?.checkpoint ?? covered;
      ended = frame.end ?? ended;
    }
    if (ended === undefined) throw refuse('CHAIN_UNAVAILABLE', { reason: 'a list of transactions broke off' });
    const more = cursor !== after && MORE.includes(ended.reason);
    return { transactions, cursor, more, ...(covered !== undefined && { coveredCheckpoint: covered }) };
  }

  #read(executed: GrpcTypes.ExecutedTransaction): SuiEventTransaction {
    const { Transaction: transaction } = parseGrpcTransactionResponse(executed, { include: { events: true } });
    if (transaction === undefined || transaction.checkpoint === null || transaction.timestampMs === null) {
      throw refuse('UPSTREAM_INVALID', { upstream: 'Sui', field: 'transaction of a list' });
    }
    return {
      checkpoint: BigInt(transaction.checkpoint),
      indexInCheckpoint: executed.transactionIndex ?? null,
      digest: fromSuiDigest(transaction.digest),
      atMs: asTimestampMs(transaction.timestampMs),
      events: transaction.events.flatMap(({ eventType, sender, bcs }) => {
        const name = this.#ownName(eventType);
        return name === null ? [] : [{ name, sender: asId<Address>(sender, 'sender'), bytes: Uint8Array.from(bcs) }];
      }),
    };
  }

  #ownName(eventType: string): string | null {
    for (const packageId of this.options.packageIds) {
      const name = ownEventName(eventType, packageId);
      if (name !== null) return name;
    }
    return null;
  }
}

const termOf = (packageId: Hex32) => ({
  literals: [{ negated: false, predicate: { oneofKind: 'eventType' as const, eventType: { eventType: packageId } } }],
});
