import {
  asId,
  fromHex,
  refuse,
  type Address,
  type DatasetId,
  type HolderSetId,
  type LicenceId,
  type SignerId,
} from '@usufruct/kernel';
import {
  type ComputationKind,
  type DaoView,
  type DataRules,
  type EvidenceProfile,
  type Governance,
  type PayoutMode,
  type PayoutRules,
  type ProposalEffect,
  type ProposalEffectKind,
  type ProtectionKind,
  type UnclaimedTo,
  type VotingKind,
  roleNames,
  rolesOf,
  type RoleName,
} from '@usufruct/protocol';
import { durationText, parseDuration } from '@usufruct/sdk';
import { amountInputText, parseAmountInput, type Coin } from '../../app/format.js';
import { readMeasurements, readPercent, readSplit, type SplitDraft } from './policy-draft.js';

/** How a DAO decides, as it stands in a form: text that may be anything. */
export interface GovernanceDraft {
  readonly voting: VotingKind;
  readonly quorumPercent: string;
  readonly approvalPercent: string;
  readonly votingTime: string;
  readonly timelock: string;
  readonly executionTime: string;
  readonly policyByVoteOnly: boolean;
}
export interface PayoutRulesDraft {
  readonly mode: PayoutMode;
  readonly challengeTime: string;
  readonly claimTerm: string;
  readonly unclaimedTo: UnclaimedTo;
}
/** Every field that some kind of proposal has; each kind reads its own. */
export interface ProposalDraft extends SplitDraft {
  readonly kind: ProposalEffectKind;
  readonly price: string;
  readonly purposes: readonly string[];
  readonly measurement: string;
  readonly holderSetId: string;
  readonly threshold: string;
  readonly kinds: readonly ComputationKind[];
  readonly protections: readonly ProtectionKind[];
  readonly profiles: readonly EvidenceProfile[];
  readonly resultTerm: string;
  readonly maxSession: string;
  readonly dataRules: DataRules;
  readonly governance: GovernanceDraft;
  readonly payoutRules: PayoutRulesDraft;
  /** Whom it pays, or is about. */
  readonly address: string;
  readonly amount: string;
  readonly roles: readonly RoleName[];
  readonly signerKind: 'mpc-set' | 'fhe-host';
  readonly keys: string;
  /** A signer, a dataset or a licence offer. */
  readonly objectId: string;
  /** Numbers of private receipts. */
  readonly fromReceipt: string;
  readonly toReceipt: string;
  readonly purpose: string;
  readonly term: string;
}

const percentText = (bps: number): string => String(bps / 100);

export const governanceDraft = (governance: Governance): GovernanceDraft => ({
  voting: governance.voting,
  quorumPercent: percentText(governance.quorumBps),
  approvalPercent: percentText(governance.approvalBps),
  votingTime: durationText(governance.votingMs),
  timelock: durationText(governance.timelockMs),
  executionTime: durationText(governance.executionMs),
  policyByVoteOnly: governance.policyByVoteOnly,
});

export const payoutRulesDraft = ({ mode, challengeMs, claimTermMs, unclaimedTo }: PayoutRules): PayoutRulesDraft => ({
  mode,
  challengeTime: durationText(challengeMs),
  claimTerm: durationText(claimTermMs),
  unclaimedTo,
});

/** A form that begins with what the DAO has now, so that a member changes only what is meant. */
export function firstProposalDraft({ policy, governance, payoutRules }: DaoView, coin: Coin): ProposalDraft {
  const { split, appraisal } = policy;
  return {
    kind: 'setPrice',
    price: amountInputText(policy.pricePerQuestionUnits, coin),
    purposes: policy.purposes,
    contributorsPercent: percentText(split.contributorsBps),
    treasuryPercent: percentText(split.treasuryBps),
    runnerPercent: percentText(split.runnerBps),
    protocolPercent: percentText(split.protocolBps),
    measurement: '',
    holderSetId: policy.holderSetId,
    threshold: String(policy.verifierThreshold),
    kinds: policy.kinds,
    protections: policy.protections,
    profiles: appraisal.profiles,
    resultTerm: durationText(appraisal.resultTermMs),
    maxSession: durationText(policy.maxJobTermMs),
    dataRules: { onRevocation: policy.onRevocation, blobs: policy.blobs, selfQueriesPay: policy.selfQueriesPay },
    governance: governanceDraft(governance),
    payoutRules: payoutRulesDraft(payoutRules),
    address: '',
    amount: '',
    roles: roleNames(0),
    signerKind: 'mpc-set',
    keys: '',
    objectId: '',
    fromReceipt: '',
    toReceipt: '',
    purpose: policy.purposes[0] ?? '',
    term: '365d',
  };
}

export const readGovernance = (draft: GovernanceDraft): Governance => ({
  voting: draft.voting,
  quorumBps: readPercent(draft.quorumPercent, 'quorum'),
  approvalBps: readPercent(draft.approvalPercent, 'approval'),
  votingMs: parseDuration(draft.votingTime, 'time to vote'),
  timelockMs: parseDuration(draft.timelock, 'timelock'),
  executionMs: parseDuration(draft.executionTime, 'time to execute'),
  policyByVoteOnly: draft.policyByVoteOnly,
});

export const readPayoutRules = (draft: PayoutRulesDraft): PayoutRules => ({
  mode: draft.mode,
  challengeMs: parseDuration(draft.challengeTime, 'time to object'),
  claimTermMs: parseDuration(draft.claimTerm, 'time to claim'),
  unclaimedTo: draft.unclaimedTo,
});

/** The effect that a draft describes. Refuses `INVALID_ARGUMENT` with the field's name, and `SPLIT_INVALID`. */
export function readProposal(draft: ProposalDraft, coin: Coin): ProposalEffect {
  const { kind } = draft;
  switch (kind) {
    case 'setPrice':
      return { kind, pricePerQuestionUnits: parseAmountInput(draft.price, coin, 'price') };
    case 'setPurposes':
      return { kind, purposes: atLeastOne(draft.purposes, 'purposes') };
    case 'setSplit':
      return { kind, split: readSplit(draft) };
    case 'approveMeasurement':
    case 'withdrawMeasurement':
      return { kind, measurement: oneMeasurement(draft.measurement) };
    case 'setVerifiers':
      return {
        kind,
        holderSetId: readId<HolderSetId>(draft.holderSetId, 'holder set'),
        verifierThreshold: readInteger(draft.threshold, 'verifiers needed'),
      };
    case 'setTerms':
      return {
        kind,
        kinds: atLeastOne(draft.kinds, 'kinds of computation'),
        protections: atLeastOne(draft.protections, 'protections'),
        profiles: atLeastOne(draft.profiles, 'evidence'),
        resultTermMs: parseDuration(draft.resultTerm, 'term of an appraisal'),
        maxJobTermMs: parseDuration(draft.maxSession, 'longest session'),
      };
    case 'setDataRules':
      return { kind, ...draft.dataRules };
    case 'setGovernance':
      return { kind, governance: readGovernance(draft.governance) };
    case 'setPayoutRules':
      return { kind, payoutRules: readPayoutRules(draft.payoutRules) };
    default:
      return readRoomProposal({ ...draft, kind }, coin);
  }
}

type RoomKind = Extract<
  ProposalEffectKind,
  | 'spendTreasury'
  | 'setRoles'
  | 'unpause'
  | 'registerSigner'
  | 'withdrawSigner'
  | 'tombstoneDataset'
  | 'offerLicence'
  | 'withdrawLicenceOffer'
  | 'writeOffReceipts'
>;
function readRoomProposal(draft: ProposalDraft & { readonly kind: RoomKind }, coin: Coin): ProposalEffect {
  const { kind, objectId } = draft;
  switch (kind) {
    case 'spendTreasury':
      return {
        kind,
        to: readId<Address>(draft.address, 'to'),
        amountUnits: parseAmountInput(draft.amount, coin, 'amount'),
      };
    case 'setRoles':
      return { kind, member: readId<Address>(draft.address, 'member'), roles: rolesOf(draft.roles) };
    case 'unpause':
      return { kind };
    case 'registerSigner':
      return {
        kind,
        signerKind: draft.signerKind,
        publicKeys: readKeys(draft.keys),
        payTo: readId<Address>(draft.address, 'paid to'),
      };
    case 'withdrawSigner':
      return { kind, signerId: readId<SignerId>(objectId, 'signer') };
    case 'tombstoneDataset':
      return { kind, datasetId: readId<DatasetId>(objectId, 'dataset') };
    case 'offerLicence':
      return { kind, terms: readLicenceTerms(draft, coin) };
    case 'withdrawLicenceOffer':
      return { kind, offerId: readId<LicenceId>(objectId, 'offer') };
    case 'writeOffReceipts': {
      const [fromReceipt, toReceipt] = [
        readInteger(draft.fromReceipt, 'first receipt'),
        readInteger(draft.toReceipt, 'last receipt'),
      ];
      return { kind, fromReceipt: BigInt(fromReceipt), toReceipt: BigInt(toReceipt) };
    }
  }
}

function readLicenceTerms(draft: ProposalDraft, coin: Coin) {
  const { purpose, kinds, protections, amount, term } = draft;
  const [computation, protection] = [kinds[0], protections[0]];
  if (computation === undefined || protection === undefined) {
    throw refuse('INVALID_ARGUMENT', { field: 'licence', expected: 'a kind of computation and a protection' });
  }
  return {
    datasetId: readId<DatasetId>(draft.objectId, 'dataset'),
    purpose,
    computation,
    protection,
    priceUnits: parseAmountInput(amount, coin, 'price'),
    termMs: parseDuration(term, 'term'),
  };
}

function atLeastOne<T extends string>(values: readonly T[], field: string): T[] {
  if (values.length === 0) throw refuse('INVALID_ARGUMENT', { field, expected: 'at least one' });
  return [...values];
}

const readId = <T extends Parameters<typeof fromHex>[0] & `0x${string}`>(text: string, field: string): T =>
  asId<T>(text.trim().toLowerCase(), field);

function oneMeasurement(text: string): string {
  const [measurement, ...others] = readMeasurements(text);
  if (measurement === undefined || others.length > 0) {
    throw refuse('INVALID_ARGUMENT', { field: 'code', expected: 'one measurement' });
  }
  return measurement;
}

function readInteger(text: string, field: string): number {
  if (!/^[0-9]{1,3}$/.test(text.trim())) throw refuse('INVALID_ARGUMENT', { field, expected: 'an integer' });
  return Number(text);
}

const readKeys = (text: string): Uint8Array[] =>
  text
    .split(/\s+/)
    .filter((line) => line !== '')
    .map((line) => fromHex(readId(line, 'keys')));
