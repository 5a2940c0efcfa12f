import { asAmount, type DatasetId, type HolderSetId, type LicenceId, type SignerId } from '@usufruct/kernel';
import {
  ALL_ROLES,
  LIMITS,
  SIGNER_KEYS,
  SIGNER_KINDS,
  type LicenceTerms,
  type OtherSignerKind,
  type ProposalEffect,
  type ProposalEffectKind,
} from '@usufruct/protocol';
import type { DaoRecord } from '../../../apps/local-chain/src/machine/collections.js';
import type { Play } from '../play/actor.js';
import { EVERYBODY, MINUTE_MS, PAYEES, SIGNER_KEY_PAIRS, word } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { governanceOf, governanceText, payoutRulesOf, payoutRulesText } from './governance.js';
import { membersOf } from './members.js';
import { KINDS as COMPUTATIONS, MEASUREMENTS, policyOf, PROTECTIONS, PURPOSES, splitText } from './policy.js';

/** Ways to make an effect that both sides refuse before anybody votes on it, and the effect that can be made so. */
export const EFFECT_TWISTS: Readonly<Record<string, ProposalEffectKind>> = {
  'no purposes': 'setPurposes',
  'purpose code': 'setPurposes',
  split: 'setSplit',
  'zero measurement': 'approveMeasurement',
  'no verifiers': 'setVerifiers',
  'no kinds': 'setTerms',
  'no profiles': 'setTerms',
  'long job term': 'setTerms',
  'long result term': 'setTerms',
  'no quorum': 'setGovernance',
  'low approval': 'setGovernance',
  'short voting': 'setGovernance',
  'long challenge': 'setPayoutRules',
  'short claim term': 'setPayoutRules',
  nothing: 'spendTreasury',
  'unknown role': 'setRoles',
  'too few keys': 'registerSigner',
  'zero key': 'registerSigner',
  'key twice': 'registerSigner',
  'licence purpose code': 'offerLicence',
  'no licence term': 'offerLicence',
  'long licence term': 'offerLicence',
};
/** With remainders, one that leaves half a unit, and nothing. */
const LICENCE_PRICES = [1_000_001n, 3n, 25n, 0n];
const KINDS: readonly ProposalEffectKind[] = [
  'setPrice',
  'setPurposes',
  'setSplit',
  'approveMeasurement',
  'withdrawMeasurement',
  'setVerifiers',
  'setTerms',
  'setGovernance',
  'setPayoutRules',
  'spendTreasury',
  'spendTreasury',
  'setRoles',
  'unpause',
  'registerSigner',
  'registerSigner',
  'withdrawSigner',
  'offerLicence',
  'offerLicence',
  'withdrawLicenceOffer',
];

export function effectOf(play: Play, dao: DaoRecord, twist: string | null): ProposalEffect {
  const { ledger, random } = play;
  const unpausing = dao.paused && random.chance(0.7) ? 'unpause' : neededKind(play, dao);
  const kind = EFFECT_TWISTS[twist ?? ''] ?? unpausing;
  const set = random.pick(ledger.all('holder-set'));
  const policy = policyOf(play, set.id, set.members.length, twist);
  const { appraisal } = policy;
  switch (kind) {
    case 'setPrice':
      return { kind, pricePerQuestionUnits: policy.pricePerQuestionUnits };
    case 'setPurposes':
      return { kind, purposes: [...policy.purposes] };
    case 'setSplit':
      return { kind, split: policy.split };
    case 'approveMeasurement':
    case 'withdrawMeasurement':
      return { kind, measurement: twist === null ? random.pick(MEASUREMENTS) : appraisal.measurements[0]! };
    case 'setVerifiers':
      return {
        kind,
        holderSetId: random.chance(0.85) ? set.id : word<HolderSetId>('unknown holder set'),
        verifierThreshold: random.chance(0.8) ? policy.verifierThreshold : random.int(policy.verifierThreshold, 5),
      };
    case 'setTerms': {
      const { kinds, protections, maxJobTermMs } = policy;
      const { profiles, resultTermMs } = appraisal;
      const copies = { kinds: [...kinds], protections: [...protections], profiles: [...profiles] };
      return { kind, ...copies, resultTermMs, maxJobTermMs };
    }
    case 'setGovernance':
      return { kind, governance: governanceOf(play, twist) };
    case 'setPayoutRules':
      return { kind, payoutRules: payoutRulesOf(play, twist) };
    case 'spendTreasury': {
      const held = ledger.balanceOf(dao.treasury);
      const amount = random.pick([1n, held / 2n, held, held + 1n]);
      return {
        kind,
        to: random.pick(EVERYBODY),
        amountUnits: asAmount(twist === 'nothing' ? 0n : amount === 0n ? 1n : amount),
      };
    }
    case 'setRoles': {
      const members = membersOf(play, dao.id).map(({ address }) => address);
      const member = random.pick(random.chance(0.8) ? members : EVERYBODY);
      return { kind, member, roles: twist === 'unknown role' ? ALL_ROLES + 1 : random.int(0, ALL_ROLES) };
    }
    case 'registerSigner':
      return { kind, ...signerOf(play, twist), payTo: random.pick(PAYEES) };
    case 'withdrawSigner': {
      const signers = ledger.all('signer').filter(({ daoId }) => daoId === dao.id);
      const known = signers.length > 0 && random.chance(0.8);
      return { kind, signerId: known ? random.pick(signers).id : word<SignerId>('unknown signer') };
    }
    case 'offerLicence':
      return { kind, terms: licenceTermsOf(play, dao, twist) };
    case 'withdrawLicenceOffer': {
      const offers = ledger.all('licence-offer');
      const known = offers.length > 0 && random.chance(0.8);
      return { kind, offerId: known ? random.pick(offers).id : word<LicenceId>('unknown offer') };
    }
    default:
      return { kind: 'unpause' };
  }
}

/** Mostly what the scenario needs next, where it needs any. */
function neededKind({ ledger, random, effects }: Play, { id }: DaoRecord): ProposalEffectKind {
  if (effects.length === 0 || random.chance(0.2)) return random.pick(KINDS);
  const isOffered = ledger.all('licence-offer').some((one) => one.daoId === id && one.withdrawnAtMs === null);
  return effects[isOffered ? effects.length - 1 : 0]!;
}

/** One of the DAO, sometimes of another one, sometimes of nobody. */
function datasetOf({ ledger, random }: Play, { id }: DaoRecord): DatasetId {
  const datasets = ledger.all('dataset');
  const chosen = random.mostly(datasets, ({ daoId }) => daoId === id);
  return chosen === null || random.chance(0.1) ? word<DatasetId>('unknown dataset') : chosen.id;
}

function licenceTermsOf(play: Play, dao: DaoRecord, twist: string | null): LicenceTerms {
  const { random } = play;
  const termMs = random.pick([1, MINUTE_MS, LIMITS.licenceTermMs]);
  const termOf: Readonly<Record<string, number>> = {
    'no licence term': 0,
    'long licence term': LIMITS.licenceTermMs + 1,
  };
  return {
    datasetId: datasetOf(play, dao),
    purpose: twist === 'licence purpose code' ? 'research' : random.pick(PURPOSES),
    computation: random.pick(COMPUTATIONS),
    protection: random.pick(PROTECTIONS),
    priceUnits: asAmount(random.pick(LICENCE_PRICES)),
    termMs: termOf[twist ?? ''] ?? termMs,
  };
}

function signerOf({ random }: Play, twist: string | null): { signerKind: OtherSignerKind; publicKeys: Uint8Array[] } {
  const signerKind = twist === 'key twice' ? 'mpc-set' : random.pick(['mpc-set', 'fhe-host'] as const);
  const start = random.int(0, 1);
  const keys = SIGNER_KEY_PAIRS.slice(start, start + SIGNER_KEYS[signerKind]).map(({ publicKey }) => publicKey);
  if (twist === 'too few keys') keys.pop();
  if (twist === 'zero key') keys[0] = new Uint8Array(32);
  if (twist === 'key twice') keys[1] = keys[0]!;
  return { signerKind, publicKeys: keys };
}

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
    default:
      throw new RangeError(`nobody plays ${effect.kind}`);
  }
}

/** The abort for each refusal of an effect before it is voted on. */
export const EFFECT_REFUSALS: Readonly<Record<string, readonly string[]>> = {
  SPLIT_INVALID: ['policy::ESplit'],
  'INVALID_ARGUMENT purposes as a set': ['checks::ENotASet'],
  'INVALID_ARGUMENT purposes': ['checks::EPurposeCode'],
  'INVALID_ARGUMENT measurement': ['policy::EMeasurement'],
  'INVALID_ARGUMENT verifierThreshold': ['policy::EVerifierThreshold'],
  'INVALID_ARGUMENT kinds as a set': ['checks::ENotASet'],
  'INVALID_ARGUMENT appraisal.profiles as a set': ['checks::ENotASet'],
  'INVALID_ARGUMENT maxJobTermMs': ['policy::EJobTerm'],
  'INVALID_ARGUMENT appraisal.resultTermMs': ['policy::EResultTerm'],
  'INVALID_ARGUMENT governance.quorumBps': ['governance::EQuorum'],
  'INVALID_ARGUMENT governance.approvalBps': ['governance::EApproval'],
  'INVALID_ARGUMENT governance.votingMs': ['governance::ETerm'],
  'INVALID_ARGUMENT payoutRules.challengeMs': ['payout_rules::EChallengeTerm'],
  'INVALID_ARGUMENT payoutRules.claimTermMs': ['payout_rules::EClaimTerm'],
  'INVALID_ARGUMENT amountUnits': ['effect::ENothingSpent'],
  'INVALID_ARGUMENT roles': ['membership::EUnknownRole'],
  'INVALID_ARGUMENT termMs': ['licence_terms::ETerm'],
  // Too few of them, one of zeros, or one twice.
  'INVALID_ARGUMENT publicKeys': ['signers::EKeyCount', 'checks::EKeyInvalid', 'checks::ENotASet'],
};

/** And when it is executed, against the DAO of that moment. */
export const EXECUTION_REFUSALS: Readonly<Record<string, readonly string[]>> = {
  // Approved already, or not approved.
  'INVALID_ARGUMENT measurement': ['policy::EMeasurementApproved', 'policy::EMeasurementNotApproved'],
  'INVALID_ARGUMENT appraisal.measurements as a set': ['checks::ENotASet'],
  'NOT_FOUND holder-set': ['data_dao::EWrongHolderSet'],
  'INVALID_ARGUMENT verifierThreshold': ['data_dao::EVerifierThreshold'],
  INSUFFICIENT_BALANCE: ['custody::EVaultShort'],
  'NOT_FOUND member': ['membership::ENoMember'],
  'INVALID_ARGUMENT roles': ['membership::ELastAdministrator'],
  'INVALID_ARGUMENT effect': ['data_dao::ENotPaused'],
  'ALREADY_EXISTS signer': ['signers::ERegistered'],
  'NOT_FOUND signer': ['signers::ENotRegistered'],
  'NOT_FOUND dataset': ['effect::EWrongDataset'],
  DATASET_MISMATCH: ['dataset::EWrongDao'],
  'NOT_FOUND licence-offer': ['licence::ENoOffer'],
  // A signer that comes back, or an offer that was withdrawn before.
  TOMBSTONED: ['signers::EWithdrawn', 'licence::EOfferWithdrawn'],
};
