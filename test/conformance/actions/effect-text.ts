import { SIGNER_KINDS, type ProposalEffect } from '@usufruct/protocol';
import * as move from '../play/move-text.js';
import { governanceText, payoutRulesText } from './governance.js';
import { dataRulesTexts, splitText } from './policy.js';

/** As the contracts make it. */
export function effectText(effect: ProposalEffect): string {
  const { name, args } = effectCall(effect);
  return `effect::${name}(${args.join(', ')})`;
}

const texts = (values: readonly string[]): string => `stage::texts(${move.list(values.map(move.text))})`;

function effectCall(effect: ProposalEffect): move.Call {
  switch (effect.kind) {
    case 'setPrice':
      return move.call('set_price', move.number(effect.pricePerQuestionUnits));
    case 'setPurposes':
      return move.call('set_purposes', texts(effect.purposes));
    case 'setSplit':
      return move.call('set_split', splitText(effect.split));
    case 'approveMeasurement':
      return move.call('approve_measurement', `stage::text(${move.text(effect.measurement)})`);
    case 'withdrawMeasurement':
      return move.call('withdraw_measurement', `stage::text(${move.text(effect.measurement)})`);
    case 'setVerifiers':
      return move.call('set_verifiers', move.address(effect.holderSetId), move.number(effect.verifierThreshold));
    case 'setTerms':
      return move.call(
        'set_terms',
        move.list(effect.kinds.map(move.kind)),
        move.list(effect.protections.map(move.protection)),
        texts(effect.profiles),
        move.number(effect.resultTermMs),
        move.number(effect.maxJobTermMs),
      );
    case 'setGovernance':
      return move.call('set_governance', governanceText(effect.governance));
    case 'setPayoutRules':
      return move.call('set_payout_rules', payoutRulesText(effect.payoutRules));
    case 'spendTreasury':
      return move.call('spend_treasury', move.address(effect.to), move.number(effect.amountUnits));
    case 'setRoles':
      return move.call('set_roles', move.address(effect.member), move.number(effect.roles));
    case 'unpause':
      return move.call('unpause');
    case 'registerSigner': {
      const keys = move.list(effect.publicKeys.map(move.bytes));
      const kind = move.number(SIGNER_KINDS.indexOf(effect.signerKind));
      return move.call('register_signer', kind, keys, move.address(effect.payTo));
    }
    case 'withdrawSigner':
      return move.call('withdraw_signer', move.address(effect.signerId));
    case 'offerLicence': {
      const { terms } = effect;
      const args = [
        move.address(terms.datasetId),
        `stage::text(${move.text(terms.purpose)})`,
        move.kind(terms.computation),
        move.protection(terms.protection),
        move.number(terms.priceUnits),
        move.number(terms.termMs),
      ];
      return move.call('offer_licence', `licence_terms::new(${args.join(', ')})`);
    }
    case 'withdrawLicenceOffer':
      return move.call('withdraw_licence_offer', move.address(effect.offerId));
    case 'writeOffReceipts':
      return move.call('write_off_receipts', move.number(effect.fromReceipt), move.number(effect.toReceipt));
    case 'setDataRules':
      return move.call('set_data_rules', ...dataRulesTexts(effect));
    case 'tombstoneDataset':
      return move.call('tombstone_dataset', move.address(effect.datasetId));
  }
}
