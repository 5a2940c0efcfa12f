import type { TransactionArgument } from '@mysten/sui/transactions';
import {
  COMPUTATION_KINDS,
  PAYOUT_MODES,
  PROTECTION_KINDS,
  UNCLAIMED_TO,
  VOTING_KINDS,
  type AnswerRules,
  type BlobReference,
  type ComputationKind,
  type DaoPolicy,
  type Governance,
  type GrantTerms,
  type LicenceTerms,
  type PayoutRules,
  type RevenueSplit,
  type ProtectionKind,
} from '@usufruct/protocol';
import { call, codeOf, pure, type Building } from './building.js';

/** Values that have a struct of their own in the contracts: made by calls, in the same transaction. */
export const computation = (kind: ComputationKind): number => codeOf(COMPUTATION_KINDS, kind, 'kind');
export const protection = (kind: ProtectionKind): number => codeOf(PROTECTION_KINDS, kind, 'protection');

export function policyValue(building: Building, policy: DaoPolicy): TransactionArgument {
  const { u8, u32, u64, address, strings, u8s, bool } = pure(building);
  const { split, appraisal } = policy;
  const splitPart = splitValue(building, split);
  const appraisalValue = call(building, 'policy::appraisal', [
    u32(appraisal.version),
    strings(appraisal.profiles),
    strings(appraisal.measurements),
    u64(appraisal.resultTermMs),
  ]);
  return call(building, 'policy::new', [
    u64(policy.pricePerQuestionUnits),
    strings(policy.purposes),
    u8s(policy.kinds.map(computation)),
    u8s(policy.protections.map(protection)),
    splitPart,
    address(policy.holderSetId),
    appraisalValue,
    u8(policy.verifierThreshold),
    u64(policy.maxJobTermMs),
    bool(policy.onRevocation === 'cancel'),
    bool(policy.blobs === 'permanent'),
    bool(policy.selfQueriesPay),
  ]);
}

export function splitValue(building: Building, split: RevenueSplit): TransactionArgument {
  const { u16 } = pure(building);
  const { contributorsBps, treasuryBps, runnerBps, protocolBps } = split;
  return call(building, 'policy::revenue_split', [contributorsBps, treasuryBps, runnerBps, protocolBps].map(u16));
}

export function governanceValue(building: Building, governance: Governance): TransactionArgument {
  const { u8, u16, u64, bool } = pure(building);
  return call(building, 'governance::new', [
    u8(codeOf(VOTING_KINDS, governance.voting, 'voting')),
    u16(governance.quorumBps),
    u16(governance.approvalBps),
    u64(governance.votingMs),
    u64(governance.timelockMs),
    u64(governance.executionMs),
    bool(governance.policyByVoteOnly),
  ]);
}

export function payoutRulesValue(building: Building, rules: PayoutRules): TransactionArgument {
  const { u8, u64 } = pure(building);
  return call(building, 'payout_rules::new', [
    u8(codeOf(PAYOUT_MODES, rules.mode, 'mode')),
    u64(rules.challengeMs),
    u64(rules.claimTermMs),
    u8(codeOf(UNCLAIMED_TO, rules.unclaimedTo, 'unclaimedTo')),
  ]);
}

export function termsValue(building: Building, terms: GrantTerms): TransactionArgument {
  const { u64, strings, u8s } = pure(building);
  return call(building, 'grant_terms::new', [
    strings(terms.purposes),
    u8s(terms.kinds.map(computation)),
    u8s(terms.protections.map(protection)),
    u64(terms.priceFloorUnits),
    u64(terms.budgetMicroEpsilon),
    u64(terms.expiresAtMs),
  ]);
}

export function answerRulesValue(building: Building, rules: AnswerRules): TransactionArgument {
  const { u16, u32 } = pure(building);
  return call(building, 'answer_rules::new', [
    u32(rules.maxQuoteChars),
    u16(rules.minContributors),
    u16(rules.maxReachBps),
  ]);
}

export function blobValue(building: Building, { blob, sizeBytes, endEpoch }: BlobReference): TransactionArgument {
  const { u32, u64, address } = pure(building);
  return call(building, 'blob_reference::new', [address(blob), u64(sizeBytes), u32(endEpoch)]);
}

export function licenceTermsValue(building: Building, terms: LicenceTerms): TransactionArgument {
  const { u8, u64, address, string } = pure(building);
  return call(building, 'licence_terms::new', [
    address(terms.datasetId),
    string(terms.purpose),
    u8(computation(terms.computation)),
    u8(protection(terms.protection)),
    u64(terms.priceUnits),
    u64(terms.termMs),
  ]);
}
