import { verify } from '@usufruct/crypto';
import { fromBase64, refuse, toBase64, toUsufructError, type Digest, type UsufructError } from '@usufruct/kernel';
import {
  LIMITS,
  livingMembers,
  OpeningAckBcs,
  receiptDigest,
  TAGS,
  type ChainInfo,
  type JobView,
} from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import { HolderDirectory } from '../keys/holder-directory.js';
import { isAway } from '../keys/holder-port.js';
import { acknowledgementsOf, type HoldersNow } from './holders-now.js';
import { sealAnew } from './seal-opening.js';
import type { AnswerRecord, Delivery } from './store.js';

/** The holders, by their keys, that did not answer in this round: nobody waits for them again before the next. */
export type Away = Set<string>;

/** An answer whose opening is brought to holders. */
interface ToBring {
  readonly record: AnswerRecord;
  readonly digest: Digest;
  readonly onChain: () => Promise<[ChainInfo, JobView]>;
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
   * Resolves when as many of these holders have signed that they have this private answer's opening as must. Every
   * acknowledgement is stored when it comes, those that come later too; those of members who have left or were retired
   * since count for nothing, and members who came since are asked instead.
   *
   * Refuses `UPSTREAM_UNAVAILABLE` while too few holders answer, what they refuse once too few can still take it, and
   * `RECEIPT_INVALID` when the receipt has become too old to be settled.
   */
  async deliver(record: AnswerRecord, holders: HoldersNow, away: Away): Promise<void> {
    const missing = (): number => holders.needed - acknowledgementsOf(this.#deliveries(record), holders).length;
    if (missing() <= 0) return;
    if (this.context.clock.nowMs() - record.issuedAtMs > LIMITS.receiptFreshnessMs) {
      throw refuse('RECEIPT_INVALID', { check: 'freshness' });
    }
    const bring = this.#toBring(record);
    const left = () => this.#leftWith(record, holders);
    if (this.#isForOthers(record, holders)) {
      // Somebody has to have it before those who came since can be given it.
      await Promise.allSettled(left().map((delivery) => this.#deliverOne(bring, delivery, away)));
      if (missing() <= 0) return;
      await this.#addHolders(record, holders);
    }
    if (left().length < missing()) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'key holders' });
    await enough(
      left().map((delivery) => this.#deliverOne(bring, delivery, away)),
      missing(),
    );
  }

  async #addHolders(record: AnswerRecord, holders: HoldersNow): Promise<void> {
    const { store, logger } = this.context;
    try {
      store.addDeliveries(record, await sealAnew(this.context, record, this.#deliveries(record), holders));
    } catch (cause) {
      const { jobId, questionId } = record;
      logger.warn('opening.not_sealed_anew', { jobId, questionId, code: toUsufructError(cause).code });
    }
  }

  #deliveries({ jobId, questionId }: AnswerRecord): readonly Delivery[] {
    const settlement = this.context.store.find(jobId, questionId)?.settlement;
    return settlement?.kind === 'private' ? settlement.deliveries : [];
  }

  /** There are members now, or keys of theirs, to which it was not sealed. */
  #isForOthers(record: AnswerRecord, { set }: HoldersNow): boolean {
    const keys = new Set(this.#deliveries(record).map(({ holderKey }) => holderKey));
    return livingMembers(set).some(({ signingPublicKey }) => !keys.has(signingPublicKey));
  }

  /** To members of now. */
  #leftWith(record: AnswerRecord, { set }: HoldersNow): readonly Delivery[] {
    const members = new Set(livingMembers(set).map(({ signingPublicKey }) => signingPublicKey));
    return this.#deliveries(record).filter((one) => one.acknowledgement === null && members.has(one.holderKey));
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
      if (isAway(cause)) {
        away.add(holderKey);
      }
      throw cause;
    }
  }

  async #bring({ record, digest, onChain }: ToBring, { holderKey, sealedOpening }: Delivery): Promise<void> {
    const [{ chainId }, { daoId }] = await onChain();
    const publicKey = fromBase64(holderKey);
    const message = OpeningAckBcs.serialize({ chainId, daoId, receiptDigest: digest }).toBytes();
    const signature = await this.#holders.ask(holderKey, chainId, async (holder) => {
      const ack = await holder.deliverOpening({ receiptDigest: digest, sealedOpening: toBase64(sealedOpening) });
      const signed = fromBase64(ack.signature);
      if (await verify({ publicKey, domainTag: TAGS.openingAck, message, signature: signed })) return signed;
      throw refuse('UPSTREAM_INVALID', { upstream: holder.name, field: 'signature' });
    });
    this.context.store.markDelivered(record, holderKey, signature);
  }
}

const leftOf = ({ settlement }: AnswerRecord): readonly Delivery[] =>
  settlement?.kind === 'private' ? settlement.deliveries.filter(({ acknowledgement }) => acknowledgement === null) : [];

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
