import { asTimestampMs, toUsufructError, type DaoId } from '@usufruct/kernel';
import { isLiving, LIMITS, type EpochView, type HolderSetView } from '@usufruct/protocol';
import { ensureRegistered } from '../attest/registration.js';
import type { RunnerContext } from '../context.js';
import { isAway } from '../keys/holder-port.js';
import { locateLiving, type LocatedMember } from '../keys/members.js';
import { askToCountersign } from './countersign.js';
import { sealSeed, signedEpochOf, type EpochDraft } from './epoch-draft.js';
import { gatherOpenings } from './gather-openings.js';
import type { DueSeed, KeptLateEpoch, LateEpochStore } from './late-epoch-store.js';

/** By then a statement that is not on the chain can no longer come there. */
const PROPOSABLE_MS = LIMITS.receiptFreshnessMs + LIMITS.transactionTermMs + LIMITS.clockSkewMs;
/** A holder that is there and does not take an epoch is asked again after this, then after twice as long each time. */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 6 * 60 * 60_000;
/** So often it is given what it lacks before it is asked again: what it refuses as often, it goes on refusing. */
const COMPLETED_TRIES = 4;

/**
 * Brings epochs that are on the chain to the holders that have not countersigned them, so that they, too, can give
 * contributors their leaves: until each has it, or the epoch was rejected or swept. What is brought is sealed to the
 * holder and stored before the epoch is proposed; another process goes on with it.
 *
 * A holder recomputes what it keeps. One that was away when the keys were released has no log entry that covers the uses,
 * refuses their openings, and cannot be brought those epochs.
 */
export class LateEpochs {
  constructor(
    private readonly context: RunnerContext,
    private readonly store: LateEpochStore,
  ) {}

  /** To be called before the epoch is proposed. Nothing is kept when all living members have signed. */
  async keep(
    daoId: DaoId,
    draft: EpochDraft,
    set: HolderSetView,
    signed: readonly { readonly member: number }[],
  ): Promise<void> {
    const late = set.members.filter(
      (member, place) => isLiving(set, member) && !signed.some((one) => one.member === place),
    );
    if (late.length === 0) return;
    const seeds = await Promise.all(
      late.map(async ({ signingPublicKey, sealingPublicKey }) => ({
        holderKey: signingPublicKey,
        sealedSeed: await sealSeed(draft, sealingPublicKey),
      })),
    );
    const storedAtMs = this.context.clock.nowMs();
    this.store.add({ id: draft.id, daoId, ...signedEpochOf(draft), storedAtMs, seeds });
  }

  /** Try once to bring what is due to the holders that are there. What the chain does not answer, it refuses. */
  async bring(daoId: DaoId): Promise<void> {
    const { chain, clock } = this.context;
    if (this.store.of(daoId).length === 0) return;
    const epochs = await chain.epochsOf(daoId);
    const dao = await chain.dao(daoId);
    const set = await chain.holderSet(dao.policy.holderSetId);
    this.#forget(daoId, epochs, set);
    const nowMs = clock.nowMs();
    const due = this.store
      .of(daoId)
      .filter(({ id, seeds }) => epochs.some((one) => one.id === id) && seeds.some((seed) => seed.nextAtMs <= nowMs));
    if (due.length === 0) return;
    const located = await this.#livingMembers(set);
    const places = [...new Set(located.map(({ member }) => member))];
    await Promise.all(
      places.map((place) =>
        this.#bringTo(
          place,
          located.filter(({ member }) => member === place),
          set,
          due,
        ),
      ),
    );
  }

  /** Those that nobody can claim of, that never came on the chain, and those for who is no member any more. */
  #forget(daoId: DaoId, epochs: readonly EpochView[], set: HolderSetView): void {
    const nowMs = this.context.clock.nowMs();
    for (const { id, storedAtMs, seeds } of this.store.of(daoId)) {
      const view = epochs.find((one) => one.id === id);
      const isOver = view === undefined ? nowMs > storedAtMs + PROPOSABLE_MS : view.state !== 'open';
      if (isOver) this.store.drop(id);
      for (const { holderKey } of seeds) {
        const member = set.members.find(({ signingPublicKey }) => signingPublicKey === holderKey);
        if (member === undefined || !isLiving(set, member)) this.store.dropSeed(id, holderKey);
      }
    }
  }

  /**
   * One after another, the oldest first; a holder that stops answering is left for the next round. That it has one is
   * signed by nobody, so all who say that they are this member are brought it, and it is due until all have it.
   */
  async #bringTo(
    place: number,
    claimants: readonly LocatedMember[],
    set: HolderSetView,
    due: readonly KeptLateEpoch[],
  ): Promise<void> {
    const { clock, logger } = this.context;
    const key = set.members[place]!.signingPublicKey;
    const holder = claimants.map((one) => one.holder.name).join(', ');
    for (const epoch of due) {
      const seed = epoch.seeds.find(({ holderKey, nextAtMs }) => holderKey === key && nextAtMs <= clock.nowMs());
      if (seed === undefined) continue;
      try {
        const brought = await Promise.allSettled(claimants.map((one) => this.#bringOne(one, set, epoch, seed)));
        const failed = brought.find((one) => one.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
        this.store.dropSeed(epoch.id, key);
        logger.info('epoch.brought', { daoId: epoch.daoId, epochId: epoch.id, holder });
      } catch (cause) {
        const { code } = toUsufructError(cause);
        const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** seed.tries, LONGEST_PAUSE_MS);
        this.store.postpone(epoch.id, key, asTimestampMs(clock.nowMs() + pauseMs));
        logger.warn('epoch.not_brought', { daoId: epoch.daoId, epochId: epoch.id, holder, code });
        if (isAway(cause)) return;
      }
    }
  }

  /** A holder that was away may lack openings, too; then it is given those that the others have, and asked again. */
  async #bringOne({ holder }: LocatedMember, set: HolderSetView, epoch: KeptLateEpoch, seed: DueSeed): Promise<void> {
    // No signature is needed any more; one that was given all the same, and lost on its way, has to be the holder's.
    try {
      await askToCountersign(holder, epoch, seed);
    } catch (cause) {
      if (toUsufructError(cause).code !== 'NOT_FOUND' || seed.tries >= COMPLETED_TRIES) throw cause;
      await this.#completeOpenings(set, epoch);
      await askToCountersign(holder, epoch, seed);
    }
  }

  async #completeOpenings(set: HolderSetView, { daoId, receiptDigests: digests }: KeptLateEpoch): Promise<void> {
    await ensureRegistered(this.context, await this.context.chain.dao(daoId));
    await gatherOpenings(this.context, await this.#livingMembers(set), { daoId, set, digests });
  }

  async #livingMembers(set: HolderSetView): Promise<LocatedMember[]> {
    const { chain, holders } = this.context;
    const { chainId } = await chain.info();
    return locateLiving(holders, set, chainId);
  }
}
