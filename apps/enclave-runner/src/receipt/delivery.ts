import { verify } from '@usufruct/crypto';
import { fromBase64, refuse, toBase64, toUsufructError, type UsufructError } from '@usufruct/kernel';
import { LIMITS, OpeningAckBcs, receiptDigest, TAGS } from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import { HolderDirectory } from '../keys/holder-directory.js';
import type { AnswerRecord, Delivery } from './store.js';

/** Brings stored openings to the holders, until enough of them have signed that they have them. */
export class OpeningDelivery {
  readonly #holders: HolderDirectory;

  constructor(private readonly context: RunnerContext) {
    this.#holders = new HolderDirectory(context.holders);
  }

  /**
   * Resolves when as many holders have this answer's opening as must; at once where its uses are public. Every
   * acknowledgement is stored when it comes, those that come later too.
   *
   * Refuses `UPSTREAM_UNAVAILABLE` while too few holders answer, what they refuse once too few can still take it, and
   * `RECEIPT_INVALID` when the receipt has become too old to be settled.
   */
  async deliver(record: AnswerRecord): Promise<void> {
    const { settlement, issuedAtMs } = record;
    if (settlement?.kind !== 'private') return;
    const left = settlement.deliveries.filter(({ isAcked }) => !isAcked);
    const missing = settlement.acksNeeded - (settlement.deliveries.length - left.length);
    if (missing <= 0) return;
    if (this.context.clock.nowMs() - issuedAtMs > LIMITS.receiptFreshnessMs) {
      throw refuse('RECEIPT_INVALID', { check: 'freshness' });
    }
    await enough(
      left.map((delivery) => this.#deliverOne(record, delivery)),
      missing,
    );
  }

  async #deliverOne(record: AnswerRecord, { holderKey, sealedOpening }: Delivery): Promise<void> {
    const { chain, store } = this.context;
    const [{ chainId }, { daoId }] = [await chain.info(), await chain.job(record.jobId)];
    const digest = receiptDigest(record.receipt);
    const holder = await this.#holders.find(holderKey, chainId);
    const ack = await holder.deliverOpening({ receiptDigest: digest, sealedOpening: toBase64(sealedOpening) });
    const isSigned = await verify({
      publicKey: fromBase64(holderKey),
      domainTag: TAGS.openingAck,
      message: OpeningAckBcs.serialize({ chainId, daoId, receiptDigest: digest }).toBytes(),
      signature: fromBase64(ack.signature),
    });
    if (!isSigned) {
      this.#holders.forget(holderKey);
      throw refuse('UPSTREAM_INVALID', { upstream: holder.name, field: 'signature' });
    }
    store.markDelivered(record, holderKey);
  }
}

/** Resolves with the `needed`-th success; rejects when all is over without it, or too many failed for good. */
function enough(tries: readonly Promise<void>[], needed: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let [succeeded, over] = [0, 0];
    const refusals: UsufructError[] = [];
    const judge = (): void => {
      const lasting = refusals.filter(({ entry }) => entry.retry !== 'later');
      if (succeeded >= needed) resolve();
      else if (tries.length - lasting.length < needed) reject(lasting[0] ?? refuse('INTERNAL'));
      else if (over === tries.length) reject(refuse('UPSTREAM_UNAVAILABLE', { upstream: 'key holders' }, refusals[0]));
    };
    for (const one of tries) {
      one
        .then(
          () => void (succeeded += 1),
          (cause: unknown) => void refusals.push(toUsufructError(cause)),
        )
        .finally(() => {
          over += 1;
          judge();
        });
    }
  });
}
