import type { Address, Hex32 } from '@usufruct/kernel';
import type { ChainAction, ChainActionKind, PayoutMode, ProposalEffectKind, ProtectionKind } from '@usufruct/protocol';
import { word } from './cast.js';
import type { Ledger } from './ledger.js';
import type { Call } from './move-text.js';
import type { Random } from './random.js';

/** What an actor chooses by: the state of the ledger, and chance. */
export interface Play {
  readonly ledger: Ledger;
  readonly random: Random;
  readonly needs: Needs;
}

/** What a scenario has to have for what it aims at; by chance it may have more. */
export interface Needs {
  /** How new DAOs pay. */
  readonly mode?: PayoutMode;
  /** What new DAOs offer. */
  readonly protection?: ProtectionKind;
  /** What is proposed and voted for, in this order. */
  readonly effects?: readonly NeededEffect[];
  /** Whether only a vote changes the policy of new DAOs. */
  readonly policyByVoteOnly?: boolean;
  /** The appraisal policies of new DAOs are of the last version that there is. */
  readonly lastAppraisalVersion?: boolean;
  /** The leaves of epochs are of more than there is. */
  readonly excess?: boolean;
}

export interface NeededEffect {
  readonly kind: ProposalEffectKind;
  /** How exactly it is made, where that matters: mostly a way to be refused when it is executed. */
  readonly way?: string;
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
  /** Ways to play it right that need more than chance gives them; named like twists. */
  readonly ways?: readonly string[];
  /** The refusal that a twist is for, where it could meet another one first. */
  readonly meets?: Readonly<Record<string, string>>;
  /** What has to have happened before a twist or a way can work, by its name. */
  readonly before?: Readonly<Record<string, readonly ChainActionKind[]>>;
  /** What the whole scenario has to have for the action, or for a twist or way of it. */
  needs?(twist: string | null): Needs;
  /** What to do when the state offers nothing to do it to. */
  readonly prepare?: readonly ChainActionKind[];
  /** May let time pass first. A step that mostly succeeds, or with a twist mostly does not; null where the state offers nothing to do it to. */
  attempt(play: Play, twist: string | null): Promise<Attempt | null> | Attempt | null;
  /**
   * For each refusal of the ledger, as `refusalName` writes it, the abort with which the contracts refuse. More than
   * one where both sides check the same things in another order and a step can be wrong in two ways at once.
   */
  readonly refusals: Readonly<Record<string, readonly string[]>>;
}
