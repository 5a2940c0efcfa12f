import type { ChainActionKind, ProposalEffectKind } from '@usufruct/protocol';
import type { Needs } from '../play/actor.js';
import { RULES_REFUSALS, RULES_TWISTS } from './governance.js';

/** Ways to make an effect that both sides refuse before anybody votes on it, and the effect that can be made so. */
export const EFFECT_TWISTS: Readonly<Record<string, ProposalEffectKind>> = {
  'no purposes': 'setPurposes',
  'purpose code': 'setPurposes',
  split: 'setSplit',
  'zero measurement': 'approveMeasurement',
  'no verifiers': 'setVerifiers',
  'no kinds': 'setTerms',
  'protection twice': 'setTerms',
  'no profiles': 'setTerms',
  'long job term': 'setTerms',
  'long result term': 'setTerms',
  ...Object.fromEntries(RULES_TWISTS.map((twist) => [twist, ruleOf(twist)])),
  nothing: 'spendTreasury',
  'unknown role': 'setRoles',
  'too few keys': 'registerSigner',
  'zero key': 'registerSigner',
  'key twice': 'registerSigner',
  'signer kind': 'registerSigner',
  'licence purpose code': 'offerLicence',
  'no licence term': 'offerLicence',
  'long licence term': 'offerLicence',
  'receipt zero': 'writeOffReceipts',
  'receipts backwards': 'writeOffReceipts',
};

function ruleOf(twist: string): ProposalEffectKind {
  return twist.endsWith('challenge') || twist.endsWith('claim term') ? 'setPayoutRules' : 'setGovernance';
}

/** The abort for each refusal of an effect before it is voted on. */
export const EFFECT_REFUSALS: Readonly<Record<string, readonly string[]>> = {
  ...RULES_REFUSALS,
  SPLIT_INVALID: ['policy::ESplit'],
  'INVALID_ARGUMENT purposes as a set': ['checks::ENotASet'],
  'INVALID_ARGUMENT purposes': ['checks::EPurposeCode'],
  'INVALID_ARGUMENT measurement': ['policy::EMeasurement'],
  'INVALID_ARGUMENT verifierThreshold': ['policy::EVerifierThreshold'],
  'INVALID_ARGUMENT kinds as a set': ['checks::ENotASet'],
  'INVALID_ARGUMENT protections as a set': ['checks::ENotASet'],
  'INVALID_ARGUMENT appraisal.profiles as a set': ['checks::ENotASet'],
  'INVALID_ARGUMENT maxJobTermMs': ['policy::EJobTerm'],
  'INVALID_ARGUMENT appraisal.resultTermMs': ['policy::EResultTerm'],
  'INVALID_ARGUMENT amountUnits': ['effect::ENothingSpent'],
  'INVALID_ARGUMENT roles': ['membership::EUnknownRole'],
  'INVALID_ARGUMENT termMs': ['licence_terms::ETerm'],
  'INVALID_ARGUMENT receipts': ['effect::EReceiptRun'],
  'INVALID_ARGUMENT signerKind': ['signers::ESignerKind'],
  // Too few of them, one of zeros, or one twice.
  'INVALID_ARGUMENT publicKeys': ['signers::EKeyCount', 'checks::EKeyInvalid', 'checks::ENotASet'],
};

interface ExecutionTwist {
  readonly refusal: string;
  /** What is voted for: the last of them in the way of the twist, those before it as they should be. */
  readonly effects: readonly ProposalEffectKind[];
  readonly lastAppraisalVersion?: true;
  /** What has to be set aside or divided before the votes, in a DAO that pays in epochs. */
  readonly before?: readonly ChainActionKind[];
}
/** A private receipt. */
const SET_ASIDE: readonly ChainActionKind[] = ['registerRunner', 'mint', 'fundJob', 'settlePrivately'];

/** Effects that can be proposed, and are refused when they are executed, by the DAO of that moment. */
export const EXECUTION_TWISTS: Readonly<Record<string, ExecutionTwist>> = {
  'approved already': { refusal: 'INVALID_ARGUMENT measurement', effects: ['approveMeasurement'] },
  'not approved': { refusal: 'INVALID_ARGUMENT measurement', effects: ['withdrawMeasurement'] },
  'last measurement': {
    refusal: 'INVALID_ARGUMENT appraisal.measurements as a set',
    effects: ['withdrawMeasurement'],
  },
  'last version': {
    refusal: 'INVALID_ARGUMENT appraisal.version',
    effects: ['setTerms'],
    lastAppraisalVersion: true,
  },
  'unknown holder set': { refusal: 'NOT_FOUND holder-set', effects: ['setVerifiers'] },
  'too many verifiers': { refusal: 'INVALID_ARGUMENT verifierThreshold', effects: ['setVerifiers'] },
  'more than there is': { refusal: 'INSUFFICIENT_BALANCE', effects: ['spendTreasury'] },
  'nobody’s role': { refusal: 'NOT_FOUND member', effects: ['setRoles'] },
  'last administrator': { refusal: 'INVALID_ARGUMENT roles', effects: ['setRoles'] },
  'not paused': { refusal: 'INVALID_ARGUMENT effect', effects: ['unpause'] },
  'signer twice': { refusal: 'ALREADY_EXISTS signer', effects: ['registerSigner', 'registerSigner'] },
  'signer back': {
    refusal: 'ALREADY_EXISTS signer',
    effects: ['registerSigner', 'withdrawSigner', 'registerSigner'],
  },
  'unknown signer': { refusal: 'NOT_FOUND signer', effects: ['withdrawSigner'] },
  'withdrawn signer': {
    refusal: 'TOMBSTONED signer',
    effects: ['registerSigner', 'withdrawSigner', 'withdrawSigner'],
  },
  'unknown dataset': { refusal: 'NOT_FOUND dataset', effects: ['tombstoneDataset'] },
  'dataset of another': { refusal: 'DATASET_MISMATCH', effects: ['tombstoneDataset'] },
  'again dataset retired': { refusal: 'TOMBSTONED dataset', effects: ['tombstoneDataset', 'tombstoneDataset'] },
  'licence on unknown dataset': { refusal: 'NOT_FOUND dataset', effects: ['offerLicence'] },
  'licence on dataset of another': { refusal: 'DATASET_MISMATCH', effects: ['offerLicence'] },
  'licence on dataset retired': { refusal: 'TOMBSTONED dataset', effects: ['tombstoneDataset', 'offerLicence'] },
  'unknown offer': { refusal: 'NOT_FOUND licence-offer', effects: ['withdrawLicenceOffer'] },
  'withdrawn offer': {
    refusal: 'TOMBSTONED licence-offer',
    effects: ['offerLicence', 'withdrawLicenceOffer', 'withdrawLicenceOffer'],
  },
  'receipts left out': { refusal: 'INVALID_ARGUMENT receipts', effects: ['writeOffReceipts'], before: SET_ASIDE },
  'receipts to come': { refusal: 'INVALID_ARGUMENT receipts', effects: ['writeOffReceipts'], before: SET_ASIDE },
  'receipts too young': { refusal: 'INVALID_ARGUMENT toReceipt', effects: ['writeOffReceipts'], before: SET_ASIDE },
  'receipts in an epoch': {
    refusal: 'INVALID_ARGUMENT receipts',
    effects: ['writeOffReceipts'],
    before: [...SET_ASIDE, 'proposeEpoch'],
  },
  'receipts after a challenged epoch': {
    refusal: 'EPOCH_STATE challenged',
    effects: ['writeOffReceipts'],
    before: [...SET_ASIDE, 'settlePrivately', 'proposeEpoch', 'settlePrivately'],
  },
};

/** What has to be voted for such a twist. */
export function executionNeeds(twist: string): Needs {
  const { effects = [], lastAppraisalVersion = false, before } = EXECUTION_TWISTS[twist] ?? {};
  const last = effects.length - 1;
  return {
    effects: effects.map((kind, i) => (i === last ? { kind, way: twist } : { kind })),
    lastAppraisalVersion,
    ...(before !== undefined && { mode: 'epoch' }),
  };
}

/** And the abort for each refusal then. */
export const EXECUTION_REFUSALS: Readonly<Record<string, readonly string[]>> = {
  // Approved already, or not approved.
  'INVALID_ARGUMENT measurement': ['policy::EMeasurementApproved', 'policy::EMeasurementNotApproved'],
  'INVALID_ARGUMENT appraisal.measurements as a set': ['checks::ENotASet'],
  'INVALID_ARGUMENT appraisal.version': ['policy::EAppraisalVersion'],
  'NOT_FOUND holder-set': ['data_dao::EWrongHolderSet'],
  'INVALID_ARGUMENT verifierThreshold': ['data_dao::EVerifierThreshold'],
  INSUFFICIENT_BALANCE: ['custody::EVaultShort'],
  'NOT_FOUND member': ['membership::ENoMember'],
  'INVALID_ARGUMENT roles': ['membership::ELastAdministrator'],
  'INVALID_ARGUMENT effect': ['data_dao::ENotPaused'],
  'ALREADY_EXISTS signer': ['signers::ERegistered'],
  'NOT_FOUND signer': ['signers::ENoSigner'],
  'TOMBSTONED signer': ['signers::EWithdrawnBefore'],
  'NOT_FOUND dataset': ['effect::EWrongDataset'],
  DATASET_MISMATCH: ['dataset::EWrongDao'],
  'TOMBSTONED dataset': ['dataset::ETombstoned'],
  'NOT_FOUND licence-offer': ['licence::ENoOffer'],
  'TOMBSTONED licence-offer': ['licence::EOfferWithdrawn'],
  'INVALID_ARGUMENT receipts': ['receipt_pool::EWriteOffReceipts'],
  'EPOCH_STATE challenged': ['receipt_pool::EWriteOffChallenged'],
  'INVALID_ARGUMENT toReceipt': ['receipt_pool::EWriteOffEarly'],
};

/** Two receipts that nobody divides for a month. */
export const WRITTEN_OFF = 'receipts written off';
export const BEFORE_WRITING_OFF: readonly ChainActionKind[] = [...SET_ASIDE, 'settlePrivately'];
