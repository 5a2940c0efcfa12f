import type { Address, Hex32 } from '@usufruct/kernel';
import type { ChainAction, ChainActionKind, PayoutMode, ProposalEffectKind } from '@usufruct/protocol';
import { word } from './cast.js';
import type { Ledger } from './ledger.js';
import type { Call } from './move-text.js';
import type { Random } from './random.js';

/** What an actor chooses by: the state of the ledger, and chance. */
export interface Play {
  readonly ledger: Ledger;
  readonly random: Random;
  /** How new DAOs pay, where what the scenario aims at needs one of the two. */
  readonly mode: PayoutMode | null;
  /** What has to be voted for what the scenario aims at, in this order; none where that needs no vote. */
  readonly effects: readonly ProposalEffectKind[];
}

/** The first salt whose object does not exist yet, or one whose object does; null where there is none. */
export function saltOf(taken: boolean, exists: (salt: Hex32) => boolean): Hex32 | null {
  for (let i = 0; i < 64; i++) {
    const salt = word(`salt ${i}`);
    const known = exists(salt);
    if (known === taken) return salt;
    if (taken) return null;
  }
  return null;
}

/** One step: what is sent to the ledger, and the same as a call of the stage. */
export interface Attempt {
  readonly sender: Address;
  readonly action: ChainAction;
  readonly call: Call;
}

/** Everything about one action: how it is played, and what its refusals are called on the other side. */
export interface Actor {
  readonly kind: ChainActionKind;
  /** How often it is played, relative to others. */
  readonly weight: number;
  /** Ways to play it slightly wrong, each by name. */
  readonly twists: readonly string[];
  /** What has to have happened before a twist can work, by twist. */
  readonly before?: Readonly<Record<string, readonly ChainActionKind[]>>;
  /** The mode of payout that the action needs. */
  readonly mode?: PayoutMode;
  /** The effects of votes that the action, or a twist of it, needs. */
  readonly effects?: readonly ProposalEffectKind[];
  /** What to do when the state offers nothing to do it to. */
  readonly prepare?: readonly ChainActionKind[];
  /** May let time pass first. A step that mostly succeeds, or with the twist mostly does not; null where the state offers nothing to do it to. */
  attempt(play: Play, twist: string | null): Promise<Attempt | null> | Attempt | null;
  /**
   * For each refusal of the ledger, as `refusalName` writes it, the abort with which the contracts refuse. More than
   * one where both sides check the same things in another order and a step can be wrong in two ways at once.
   */
  readonly refusals: Readonly<Record<string, readonly string[]>>;
}
