import { asAmount, refuse, toBase64, ZERO_UNITS, type DaoId, type EpochId, type SignerId } from '@usufruct/kernel';
import {
  EMPTY_RECEIPT_CHAIN,
  EPOCH_STATES,
  receiptPoolAccountOf,
  UNCLAIMED_TO,
  type EpochView,
  type ReceiptPoolView,
  type SignerView,
} from '@usufruct/protocol';
import { named, otherSignerKind } from '../events/wire-values.js';
import { amount, u256 } from '../layout/move-types.js';
import * as layouts from '../layout/payout-objects.js';
import type { Lookup } from './lookup.js';
import { addressName, type FieldName } from './objects.js';

const BITS_PER_WORD = 256;
const u64 = amount();

const numberName = (key: bigint): FieldName => ({ type: 'u64', bytes: u64.bcs.serialize(key).toBytes() });

/** Other signers of receipts, and what is paid in epochs. */
export class PayoutReader {
  constructor(private readonly lookup: Lookup) {}

  async signer(daoId: DaoId, id: SignerId): Promise<SignerView> {
    const { signers } = (await this.lookup.daoObject(daoId)).signers;
    const signer = await this.lookup.objects.field(signers.id, addressName(id), layouts.signer);
    if (signer === null) throw refuse('NOT_FOUND', { object: 'signer' });
    return {
      id,
      daoId,
      signerKind: otherSignerKind(signer.kind),
      publicKeys: signer.public_keys.map(toBase64),
      payTo: signer.pay_to,
      withdrawnAtMs: signer.withdrawn_at_ms,
    };
  }

  async receiptPool(daoId: DaoId): Promise<ReceiptPoolView> {
    const pool = (await this.lookup.daoObject(daoId)).receipt_pool;
    const name = numberName(pool.receipt_count);
    const mark =
      pool.receipt_count === 0n ? null : await this.lookup.objects.field(pool.marks.id, name, layouts.poolMark);
    return {
      daoId,
      account: receiptPoolAccountOf(daoId),
      receiptCount: pool.receipt_count,
      pooledUnits: mark === null ? ZERO_UNITS : asAmount(mark.pooled_units, 'pooledUnits'),
      receiptChain: mark?.receipt_chain ?? EMPTY_RECEIPT_CHAIN,
      coveredReceipts: pool.covered_receipts,
      epochCount: pool.epoch_count,
    };
  }

  /** In order of proposal, rejected ones included. */
  async epochsOf(daoId: DaoId): Promise<EpochView[]> {
    await this.lookup.params.index.sync();
    const { epochs } = await this.lookup.dao(daoId);
    return Promise.all(epochs.map((id) => this.epoch(id)));
  }

  /** What was claimed is counted from the events; everything else is the object's. */
  async epoch(id: EpochId): Promise<EpochView> {
    await this.lookup.params.index.sync();
    const { toReceipt, totalUnits, proposedAtMs, claimedUnits } = await this.lookup.find((index) =>
      index.epochs.find(id),
    );
    const epoch = await this.#object(id);
    return {
      id,
      daoId: epoch.dao_id,
      number: epoch.number,
      attempt: epoch.attempt,
      settler: epoch.settler,
      fromReceipt: epoch.from_receipt,
      toReceipt,
      totalUnits,
      root: epoch.root,
      leafCount: epoch.leaf_count,
      claimedUnits,
      state: named(EPOCH_STATES, epoch.state, 'state of an epoch'),
      objections: [...epoch.objections],
      proposedAtMs,
      challengeEndsAtMs: epoch.challenge_ends_at_ms,
      claimTermMs: epoch.claim_term_ms,
      unclaimedTo: named(UNCLAIMED_TO, epoch.unclaimed_to, 'place of unclaimed money'),
    };
  }

  /** Whether this leaf was paid; false for one that is not there. */
  async isClaimed(epochId: EpochId, index: number): Promise<boolean> {
    const { claimed } = await this.#object(epochId);
    const word = BigInt(Math.floor(index / BITS_PER_WORD));
    const name = numberName(word);
    const bits = await this.lookup.objects.field(claimed.id, name, u256);
    return bits !== null && ((bits >> BigInt(index % BITS_PER_WORD)) & 1n) === 1n;
  }

  async #object(id: EpochId) {
    const { object, daoId } = await this.lookup.find((index) => index.epochs.find(id));
    await this.lookup.dao(daoId);
    return this.lookup.objects.object(object, layouts.epochObject);
  }
}
