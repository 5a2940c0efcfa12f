import type { HolderSetView } from '@usufruct/protocol';
import type { LocatedMember } from '../keys/members.js';

/** So many rounds a holder that did not sign is not counted on. */
const REMEMBERED_ROUNDS = 10;

/**
 * Holders that had said that they have all openings of an epoch and then did not countersign it. One that says so and
 * never signs would otherwise keep the others from a shorter epoch that they could sign. Forgotten after some rounds:
 * most have only been away.
 */
export class WithheldSignatures {
  #round = 0;
  /** Until which round, by the holder's signing key. */
  readonly #until = new Map<string, number>();

  nextRound(): void {
    this.#round += 1;
    for (const [key, until] of this.#until) if (until < this.#round) this.#until.delete(key);
  }

  /** After those were asked: who signed is counted on again. */
  note(asked: readonly LocatedMember[], set: HolderSetView, signed: readonly { readonly member: number }[]): void {
    for (const { member } of asked) {
      const key = keyOf(set, member);
      if (signed.some((one) => one.member === member)) this.#until.delete(key);
      else this.#until.set(key, this.#round + REMEMBERED_ROUNDS);
    }
  }

  /** Those that are counted on; all when they would be fewer than `needed`, since without the others nothing happens. */
  without<M extends LocatedMember>(members: readonly M[], set: HolderSetView, needed: number): readonly M[] {
    const willing = members.filter(({ member }) => !this.#until.has(keyOf(set, member)));
    return willing.length < needed ? members : willing;
  }
}

const keyOf = ({ members }: HolderSetView, member: number): string => members[member]!.signingPublicKey;
