import type {
  Address,
  AmountUnits,
  ContributionId,
  Digest,
  GrantId,
  Hex32,
  TimestampMs,
  Weight,
} from '@usufruct/kernel';
import {
  AnswerRulesBcs,
  DaoPolicyBcs,
  GovernanceBcs,
  GrantTermsBcs,
  PayoutRulesBcs,
  ProposalEffectBcs,
  RevenueSplitBcs,
  type DaoPolicy,
  type Governance,
  type GrantTerms,
  type PayoutRules,
} from '@usufruct/protocol';
import { address, amount, count, option, retyped, same, struct, u32, u8 } from './move-types.js';

/** Values that objects and events have in common. The protocol's own serialisations are the contracts', by its tests. */
export const policy = same('policy::Policy', retyped<DaoPolicy>(DaoPolicyBcs));
export const answerRules = same('answer_rules::AnswerRules', AnswerRulesBcs);
export const revenueSplit = same('policy::RevenueSplit', RevenueSplitBcs);
export const grantTerms = same('grant_terms::GrantTerms', retyped<GrantTerms>(GrantTermsBcs));

export const governance = same('governance::Governance', retyped<Governance>(GovernanceBcs));
export const payoutRules = same('payout_rules::PayoutRules', retyped<PayoutRules>(PayoutRulesBcs));
/** An enum of Move; the protocol's tests and the contracts' own agree on its bytes. */
export const effect = same('effect::Effect', ProposalEffectBcs);

export const blobReference = struct('blob_reference::BlobReference', {
  blob: address(),
  size_bytes: count(),
  end_epoch: u32,
});
export const use = struct('data_use::Use', {
  contribution_id: address<ContributionId>(),
  grant_id: address<GrantId>(),
  weight: amount<Weight>(),
});
export const payout = struct('payout::Payout', {
  account: address<Address>(),
  role: u8,
  contribution_id: option(address<ContributionId>()),
  amount_units: amount<AmountUnits>(),
});

export const account = address<Address>();
export const digest = address<Digest>();
export const hex = address<Hex32>();
export const units = amount<AmountUnits>();
export const timeMs = count<TimestampMs>();
