import { verify } from '@usufruct/crypto';
import { fromBase64, refuse, toBase64, toUsufructError, type Digest, type UsufructError } from '@usufruct/kernel';
import { LIMITS, OpeningAckBcs, receiptDigest, TAGS, type ChainInfo, type JobView } from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import { HolderDirectory } from '../keys/holder-directory.js';
import type { AnswerRecord, Delivery } from './store.js';

/** The holders, by their keys, that did not answer in this round: nobody waits for them again before the next. */
export type Away = Set<string>;
const AWAY: readonly string[] = ['UPSTREAM_UNAVAILABLE', 'RATE_LIMITED'];

/** An answer whose opening is brought to holders. */
interface ToBring {
  readonly record: AnswerRecord;
  readonly digest: Digest;
  readonly onChain: () => Promise<[ChainInfo, JobView]>;
}

/** How many more holders must have an answer's opening; none where its uses are public. */
export function acksMissing({ settlement }: Pick<AnswerRecord, 'settlement'>): number {
  if (settlement?.kind !== 'private') return 0;
  return Math.max(0, settlement.acksNeeded - settlement.deliveries.filter(({ isAcked }) => isAcked).length);
}

/** Brings stored openings to the holders, until enough of them have signed that they have them, and then to the rest. */
export class OpeningDelivery {
  readonly #holders: HolderDirectory;
  /** What a holder refuses for good is not brought to it again by this process, once enough others have it. */
  readonly #refused = new Set<string>();

  constructor(private readonly context: RunnerContext) {
    this.#holders = new HolderDirectory(context.holders);
  }

  /**
   * Resolves when as many holders have this answer's opening as must; at once where its uses are public. Every
   * acknowledgement is stored when it comes, those that come later too.
   *
   * Refuses `UPSTREAM_UNAVAILABLE` while too few holders answer, what they refuse once too few can still take it, and
   * `RECEIPT_INVALID` when the receipt has become too old to be settled, if it is not on the chain already.
   */
  async deliver(record: AnswerRecord, isOnChain: boolean, away: Away): Promise<void> {
    const missing = acksMissing(record);
    if (missing === 0) return;
    if (!isOnChain && this.context.clock.nowMs() - record.issuedAtMs > LIMITS.receiptFreshnessMs) {
      throw refuse('RECEIPT_INVALID', { check: 'freshness' });
    }
    const bring = this.#toBring(record);
    await enough(
      leftOf(record).map((delivery) => this.#deliverOne(bring, delivery, away)),
      missing,
    );
  }

  /** Try once to bring a settled answer's opening to the holders that have not got it. Never rejects. */
  async deliverRest(record: AnswerRecord, away: Away): Promise<void> {
    const bring = this.#toBring(record);
    await Promise.all(leftOf(record).map((delivery) => this.#tryOne(bring, delivery, away)));
  }

  /** What the chain says of it is asked for by the first holder that is there, and is the same for all. */
  #toBring(record: AnswerRecord): ToBring {
    const { chain } = this.context;
    let known: ReturnType<ToBring['onChain']> | undefined;
    const onChain = () => (known ??= Promise.all([chain.info(), chain.job(record.jobId)]));
    return { record, digest: receiptDigest(record.receipt), onChain };
  }

  async #tryOne(bring: ToBring, delivery: Delivery, away: Away): Promise<void> {
    const { record } = bring;
    const key = `${record.jobId}/${record.questionId}/${delivery.holderKey}`;
    if (this.#refused.has(key)) return;
    try {
      await this.#deliverOne(bring, delivery, away);
    } catch (cause) {
      if (toUsufructError(cause).entry.retry !== 'later') this.#refused.add(key);
    }
  }

  async #deliverOne(bring: ToBring, delivery: Delivery, away: Away): Promise<void> {
    const { holderKey } = delivery;
    if (away.has(holderKey)) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'key holder' });
    try {
      await this.#bring(bring, delivery);
    } catch (cause) {
      if (AWAY.includes(toUsufructError(cause).code)) {
        away.add(holderKey);
        this.#holders.forget(holderKey);
      }
      throw cause;
    }
  }

  async #bring({ record, digest, onChain }: ToBring, { holderKey, sealedOpening }: Delivery): Promise<void> {
    const [{ chainId }, { daoId }] = await onChain();
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
    this.context.store.markDelivered(record, holderKey);
  }
}

const leftOf = ({ settlement }: AnswerRecord): readonly Delivery[] =>
  settlement?.kind === 'private' ? settlement.deliveries.filter(({ isAcked }) => !isAcked) : [];

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
