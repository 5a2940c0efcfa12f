import type { TransactionArgument } from '@mysten/sui/transactions';
import {
  SIGNER_KINDS,
  VOTE_CHOICES,
  type ProposalEffect,
  type ProposalEffectKind,
  type ProposalEffectPayloads,
} from '@usufruct/protocol';
import { call, codeOf, pure, type Builder, type Building } from './building.js';
import { objectsOf } from './objects-of.js';
import { computation, governanceValue, licenceTermsValue, payoutRulesValue, protection, splitValue } from './values.js';

type MakeEffect<K extends ProposalEffectKind> = (
  building: Building,
  effect: ProposalEffectPayloads[K],
) => TransactionArgument;

/** One row per effect of a proposal; each is made by a function of its own, which checks it. */
const EFFECTS: { readonly [K in ProposalEffectKind]: MakeEffect<K> } = {
  setPrice: (b, { pricePerQuestionUnits }) => call(b, 'effect::set_price', [pure(b).u64(pricePerQuestionUnits)]),
  setPurposes: (b, { purposes }) => call(b, 'effect::set_purposes', [pure(b).strings(purposes)]),
  setSplit: (b, { split }) => call(b, 'effect::set_split', [splitValue(b, split)]),
  approveMeasurement: (b, { measurement }) => call(b, 'effect::approve_measurement', [pure(b).string(measurement)]),
  withdrawMeasurement: (b, { measurement }) => call(b, 'effect::withdraw_measurement', [pure(b).string(measurement)]),
  setVerifiers: (b, { holderSetId, verifierThreshold }) =>
    call(b, 'effect::set_verifiers', [pure(b).address(holderSetId), pure(b).u8(verifierThreshold)]),
  setTerms: (b, { kinds, protections, profiles, resultTermMs, maxJobTermMs }) =>
    call(b, 'effect::set_terms', [
      pure(b).u8s(kinds.map(computation)),
      pure(b).u8s(protections.map(protection)),
      pure(b).strings(profiles),
      pure(b).u64(resultTermMs),
      pure(b).u64(maxJobTermMs),
    ]),
  setGovernance: (b, { governance }) => call(b, 'effect::set_governance', [governanceValue(b, governance)]),
  setPayoutRules: (b, { payoutRules }) => call(b, 'effect::set_payout_rules', [payoutRulesValue(b, payoutRules)]),
  spendTreasury: (b, { to, amountUnits }) =>
    call(b, 'effect::spend_treasury', [pure(b).address(to), pure(b).u64(amountUnits)]),
  setRoles: (b, { member, roles }) => call(b, 'effect::set_roles', [pure(b).address(member), pure(b).u8(roles)]),
  unpause: (b) => call(b, 'effect::unpause', []),
  registerSigner: (b, { signerKind, publicKeys, payTo }) =>
    call(b, 'effect::register_signer', [
      pure(b).u8(codeOf(SIGNER_KINDS, signerKind, 'signerKind')),
      pure(b).byteLists(publicKeys),
      pure(b).address(payTo),
    ]),
  withdrawSigner: (b, { signerId }) => call(b, 'effect::withdraw_signer', [pure(b).address(signerId)]),
  tombstoneDataset: (b, { datasetId }) => call(b, 'effect::tombstone_dataset', [pure(b).address(datasetId)]),
  offerLicence: (b, { terms }) => call(b, 'effect::offer_licence', [licenceTermsValue(b, terms)]),
  withdrawLicenceOffer: (b, { offerId }) => call(b, 'effect::withdraw_licence_offer', [pure(b).address(offerId)]),
  writeOffReceipts: (b, { fromReceipt, toReceipt }) =>
    call(b, 'effect::write_off_receipts', [pure(b).u64(fromReceipt), pure(b).u64(toReceipt)]),
  setDataRules: (b, { onRevocation, blobs, selfQueriesPay }) =>
    call(b, 'effect::set_data_rules', [
      pure(b).bool(onRevocation === 'cancel'),
      pure(b).bool(blobs === 'permanent'),
      pure(b).bool(selfQueriesPay),
    ]),
};

const effectValue = <K extends ProposalEffectKind>(
  building: Building,
  effect: { readonly kind: K } & ProposalEffectPayloads[K],
): TransactionArgument => EFFECTS[effect.kind](building, effect);

export const propose: Builder<'propose'> = (building, { salt, daoId, effect, descriptionHash }) => {
  const { address } = pure(building);
  const { dao: find, clock } = objectsOf(building);
  const { dao, coin } = find(daoId);
  const args = [dao, address(salt), effectValue(building, effect), address(descriptionHash), clock()];
  call(building, 'proposal::propose', args, [coin]);
};

export const vote: Builder<'vote'> = (building, { proposalId, choice }) => {
  const { proposal: find, clock } = objectsOf(building);
  const { proposal, dao, coin } = find(proposalId);
  const code = pure(building).u8(codeOf(VOTE_CHOICES, choice, 'choice'));
  call(building, 'proposal::vote', [proposal, dao, code, clock()], [coin]);
};

/** The objects that an effect changes are arguments: the dataset where it is about one, else the DAO alone. */
export const executeProposal: Builder<'executeProposal'> = async (building, { proposalId }) => {
  const { proposal: find, holderSet, clock } = objectsOf(building);
  const { proposal, dao, daoId, coin } = find(proposalId);
  const effect = await building.effectOf(proposalId);
  const dataset = datasetOf(building, effect);
  if (dataset !== null)
    return void call(building, 'proposal::execute_on_dataset', [proposal, dao, dataset, clock()], [coin]);
  // The holder set is the one that the policy names once the effect has been applied.
  const holderSetId = effect.kind === 'setVerifiers' ? effect.holderSetId : await building.holderSetOf(daoId);
  call(building, 'proposal::execute', [proposal, dao, holderSet(holderSetId), clock()], [coin]);
};

function datasetOf(building: Building, effect: ProposalEffect): TransactionArgument | null {
  const { dataset, offer } = objectsOf(building);
  switch (effect.kind) {
    case 'tombstoneDataset':
      return dataset(effect.datasetId).dataset;
    case 'offerLicence':
      return dataset(effect.terms.datasetId).dataset;
    case 'withdrawLicenceOffer':
      return offer(effect.offerId).dataset;
    default:
      return null;
  }
}
