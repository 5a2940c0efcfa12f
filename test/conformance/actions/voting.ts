import type { ChainActionKind, ProposalEffectKind } from '@usufruct/protocol';
import type { Needs } from '../play/actor.js';

/** A proposal with votes that are mostly enough for it. */
export const VOTED: readonly ChainActionKind[] = ['propose', 'vote', 'vote', 'vote', 'vote'];
/** And its effect. */
export const DECIDED: readonly ChainActionKind[] = [...VOTED, 'executeProposal'];

/** The end of the name of each twist about a dataset that was retired, which both sides look at early. */
export const RETIRED = 'dataset retired';

/** What a twist about a dataset that was retired needs. */
export const retirementFor = (twist: string | null): Needs =>
  twist === RETIRED ? { effects: effects('tombstoneDataset') } : {};

export const effects = (...kinds: readonly ProposalEffectKind[]): NonNullable<Needs['effects']> =>
  kinds.map((kind) => ({ kind }));
