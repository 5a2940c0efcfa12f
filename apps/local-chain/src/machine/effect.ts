import type { ProposalEffectKind, ProposalView } from '@usufruct/protocol';
import type { EffectOf, EffectRule, EffectView } from './effect-rule.js';
import { setGovernance, setPayoutRules } from './governance.js';
import { offerLicence, withdrawLicenceOffer } from './licence.js';
import { setRolesByVote } from './membership.js';
import { unpause } from './pause.js';
import {
  approveMeasurement,
  setDataRules,
  setPrice,
  setPurposes,
  setSplit,
  setTerms,
  setVerifiers,
  withdrawMeasurement,
} from './policy-effects.js';
import { writeOffReceipts } from './receipt-pool.js';
import type { Room } from './room.js';
import { registerSigner, withdrawSigner } from './signer.js';
import { tombstoneDataset } from './tombstone.js';
import { spendTreasury } from './treasury.js';

const RULES: { readonly [K in ProposalEffectKind]: EffectRule<K> } = {
  setPrice,
  setPurposes,
  setSplit,
  approveMeasurement,
  withdrawMeasurement,
  setVerifiers,
  setTerms,
  setGovernance,
  setPayoutRules,
  spendTreasury,
  setRoles: setRolesByVote,
  unpause,
  registerSigner,
  withdrawSigner,
  tombstoneDataset,
  offerLicence,
  withdrawLicenceOffer,
  writeOffReceipts,
  setDataRules,
};

export const requireEffect = (effect: EffectView): void => check(effect);

/** What the proposal does, to the DAO of this moment. */
export const applyEffect = (room: Room, proposal: ProposalView): void => run(room, proposal, proposal.effect);

const check = <K extends ProposalEffectKind>(effect: { readonly kind: K } & EffectOf<K>): void =>
  RULES[effect.kind].check(effect);
const run = <K extends ProposalEffectKind>(
  room: Room,
  proposal: ProposalView,
  effect: { readonly kind: K } & EffectOf<K>,
): void => RULES[effect.kind].apply(room, proposal, effect);
