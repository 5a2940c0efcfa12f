import type { ProposalEffectKind, ProposalView } from '@usufruct/protocol';
import type { Room } from './room.js';

/** Effects as views write them. */
export type EffectView = ProposalView['effect'];
export type EffectOf<K extends ProposalEffectKind> = Extract<EffectView, { kind: K }>;

/** The rules of one kind of effect, in the room of the things that it changes. */
export interface EffectRule<K extends ProposalEffectKind> {
  /** Before a proposal is made: refuse what could never be executed, whatever the DAO is like by then. */
  check(effect: EffectOf<K>): void;
  /** When it is executed: checked in full again, against the DAO of that moment. */
  apply(room: Room, proposal: ProposalView, effect: EffectOf<K>): void;
}
