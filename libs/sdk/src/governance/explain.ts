import { purposeLabel } from '@usufruct/consent';
import {
  BLOB_LIFETIMES,
  isListChange,
  LIMITS,
  NO_ANSWER_RULES,
  ON_REVOCATION,
  roleNames,
  type AnswerRules,
  type BlobLifetime,
  type DataRules,
  type Governance,
  type OnRevocation,
  type PayoutRules,
  type PolicyChange,
  type PolicyListField,
  type PolicyValueField,
  type ProposalEffect,
  type ProposalView,
  type RevenueSplit,
} from '@usufruct/protocol';
import { durationWords } from './duration.js';
import type { ProposalStatus } from './proposals.js';

/** How amounts, times and ids are written where the words are shown. */
export interface Words {
  readonly amount: (units: bigint) => string;
  readonly time: (atMs: number) => string;
  readonly id: (id: string) => string;
}

const percent = (bps: number): string => `${bps / 100} %`;

const FIELD_WORDS: Readonly<Record<PolicyValueField | PolicyListField, string>> = {
  pricePerQuestionUnits: 'Price of a question',
  contributorsBps: 'Contributors’ part',
  treasuryBps: 'Treasury’s part',
  runnerBps: 'Runner’s part',
  protocolBps: 'Protocol’s part',
  holderSetId: 'Key holders and verifiers',
  verifierThreshold: 'Verifiers needed to register a runner',
  maxJobTermMs: 'Longest session',
  onRevocation: 'When data in use is withdrawn',
  blobs: 'Stored blobs',
  selfQueriesPay: 'Contributors’ own questions pay them',
  resultTermMs: 'How long a runner’s appraisal counts',
  appraisalVersion: 'Version of the appraisal policy',
  purposes: 'Purposes',
  kinds: 'Kinds of computation',
  protections: 'Protections',
  profiles: 'Evidence',
  measurements: 'Approved code',
};

/** One change of a policy in one line: what it was, and what it is then. */
export function explainChange(change: PolicyChange, words: Words): string {
  const field = FIELD_WORDS[change.field];
  if (!isListChange(change)) {
    const write = (value: bigint | number | string | boolean): string => valueWords(change.field, value, words);
    return `${field}: ${write(change.before)} → ${write(change.after)}`;
  }
  const write = (value: string): string => (change.field === 'purposes' ? purposeLabel(value) : value);
  const parts = [
    ...change.added.map((value) => `+ ${write(value)}`),
    ...change.removed.map((value) => `− ${write(value)}`),
  ];
  return `${field}: ${parts.length === 0 ? 'another order' : parts.join(', ')}`;
}

function valueWords(field: PolicyValueField, value: bigint | number | string | boolean, words: Words): string {
  if (typeof value === 'bigint') return words.amount(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (isOnRevocation(value)) return REVOCATION_WORDS[value];
  if (isBlobLifetime(value)) return value;
  if (typeof value === 'string') return words.id(value);
  if (field.endsWith('Bps')) return percent(value);
  return field.endsWith('Ms') ? durationWords(value) : String(value);
}

const splitWords = ({ contributorsBps, treasuryBps, runnerBps, protocolBps }: RevenueSplit): string =>
  `${percent(contributorsBps)} to contributors, ${percent(treasuryBps)} to the treasury, ${percent(runnerBps)} to the runner, ${percent(protocolBps)} to the protocol`;

/** How a DAO decides, one sentence a line. */
export function explainGovernance(governance: Governance): string[] {
  const { voting, quorumBps, approvalBps, votingMs, timelockMs, executionMs, policyByVoteOnly } = governance;
  return [
    voting === 'member'
      ? 'Each member has one vote.'
      : 'Each member has as many votes as units it was paid as a contributor.',
    `At least ${percent(quorumBps)} of all votes must be cast, and at least ${percent(approvalBps)} of yes and no must be yes.`,
    `Votes are taken for ${durationWords(votingMs)}; ${timelockMs === 0 ? 'then' : `after a timelock of ${durationWords(timelockMs)}`} anyone can execute what was passed, for ${durationWords(executionMs)}.`,
    policyByVoteOnly ? 'Only a vote changes the policy.' : 'Policy makers can change the policy without a vote.',
  ];
}

/** How contributors are paid, one sentence a line. */
export function explainPayoutRules({ mode, challengeMs, claimTermMs, unclaimedTo }: PayoutRules): string[] {
  if (mode === 'direct') return ['Each question pays its contributors at once; the weights of use are public.'];
  return [
    'Contributors are paid in epochs by weights that stay private; each claims its part with a proof.',
    `Key holders can object for ${durationWords(challengeMs)}; then payouts can be claimed for ${durationWords(claimTermMs)}.`,
    `What nobody claims goes to the ${unclaimedTo}.`,
  ];
}

type Value = bigint | number | string;
const isOnRevocation = (value: Value): value is OnRevocation => ON_REVOCATION.some((rule) => rule === value);
const isBlobLifetime = (value: Value): value is BlobLifetime => BLOB_LIFETIMES.some((lifetime) => lifetime === value);
const REVOCATION_WORDS: Readonly<Record<OnRevocation, string>> = {
  finish: 'the job goes on without it',
  cancel: 'the job ends',
};

/** What becomes of data that is in use and of data that is stored, one sentence a line. */
export function explainDataRules({ onRevocation, blobs, selfQueriesPay }: DataRules): string[] {
  return [
    onRevocation === 'cancel'
      ? 'When data that a running job uses is revoked, retired or its grant ends, the job ends with it; what is not spent comes back.'
      : 'When data that a running job uses is revoked, retired or its grant ends, the job goes on without it.',
    blobs === 'deletable'
      ? 'Contributions are stored so that their owners can delete them.'
      : 'Contributions are stored so that nobody can delete them before their leases end; erased ones stay there, unreadable.',
    selfQueriesPay
      ? 'Contributors are paid for questions that they ask themselves, too.'
      : 'Contributors are not paid for questions that they ask themselves.',
  ];
}

/** What answers from a dataset may show of it, one sentence a line; one line where there is no rule. */
export function explainAnswerRules(rules: AnswerRules): string[] {
  const { maxQuoteChars, minContributors, maxReachBps } = { ...NO_ANSWER_RULES, ...rules };
  const lines = [
    ...(maxQuoteChars > 0 ? [`An answer quotes at most ${maxQuoteChars} characters of one contribution.`] : []),
    ...(minContributors > 1 ? [`An answer rests on at least ${minContributors} contributors.`] : []),
    ...(maxReachBps > 0 && maxReachBps < 10_000
      ? [`One asker is shown at most ${percent(maxReachBps)} of the dataset in sum.`]
      : []),
  ];
  return lines.length > 0 ? lines : ['Answers may show anything that the question asks for.'];
}

/** As it is proposed, or as the chain shows it. */
type Effect = ProposalEffect | ProposalView['effect'];

/** A title for a proposal that was given none: the first sentence of what it does, as far as a title goes. */
export function effectTitle(effect: Effect, words: Words): string {
  const [first = ''] = explainEffect(effect, words);
  const title = first.replace(/:$/, '.');
  return title.length <= LIMITS.titleChars ? title : `${title.slice(0, LIMITS.titleChars - 1)}…`;
}

/** What executing a proposal does, one sentence a line, for somebody about to vote. */
export function explainEffect(effect: Effect, words: Words): string[] {
  switch (effect.kind) {
    case 'setPrice':
      return [`Set the price of a question to ${words.amount(effect.pricePerQuestionUnits)}.`];
    case 'setPurposes':
      return [`Allow questions for: ${effect.purposes.map(purposeLabel).join(', ')}.`];
    case 'setSplit':
      return [`Divide the price: ${splitWords(effect.split)}.`];
    case 'approveMeasurement':
      return [`Approve code that may then get keys: ${effect.measurement}.`];
    case 'withdrawMeasurement':
      return [`Withdraw approved code, whose runners stop at once: ${effect.measurement}.`];
    case 'setVerifiers':
      return [
        `Make ${words.id(effect.holderSetId)} the key holders and verifiers; ${effect.verifierThreshold} of them register a runner.`,
      ];
    case 'setTerms':
      return [
        `Allow computation by ${effect.kinds.join(', ')}, protected by ${effect.protections.join(' or ')}, with evidence of ${effect.profiles.join(' or ')}.`,
        `A session lasts at most ${durationWords(effect.maxJobTermMs)}, a runner’s appraisal ${durationWords(effect.resultTermMs)}.`,
      ];
    case 'setDataRules':
      return ['Change what becomes of data in use and of stored data:', ...explainDataRules(effect)];
    case 'setGovernance':
      return ['Change how the DAO decides:', ...explainGovernance(effect.governance)];
    case 'setPayoutRules':
      return ['Change how contributors of new sessions are paid:', ...explainPayoutRules(effect.payoutRules)];
    case 'spendTreasury':
      return [`Pay ${words.amount(effect.amountUnits)} from the treasury to ${words.id(effect.to)}.`];
    case 'setRoles':
      return [`Set the roles of ${words.id(effect.member)} to: ${roleWords(effect.roles)}.`];
    case 'unpause':
      return ['End the pause.'];
    default:
      return explainRoomEffect(effect, words);
  }
}

type RoomEffect = Extract<
  Effect,
  {
    kind:
      | 'registerSigner'
      | 'withdrawSigner'
      | 'tombstoneDataset'
      | 'offerLicence'
      | 'withdrawLicenceOffer'
      | 'writeOffReceipts';
  }
>;
function explainRoomEffect(effect: RoomEffect, words: Words): string[] {
  switch (effect.kind) {
    case 'registerSigner':
      return [
        `Accept receipts signed by ${effect.signerKind === 'mpc-set' ? 'three MPC parties together' : 'the host of an FHE evaluator'}; its part is paid to ${words.id(effect.payTo)}.`,
      ];
    case 'withdrawSigner':
      return [`Accept no more receipts of the signer ${words.id(effect.signerId)}, at once.`];
    case 'tombstoneDataset':
      return [`Retire the dataset ${words.id(effect.datasetId)} for good: nothing of it is released or used again.`];
    case 'offerLicence': {
      const { datasetId, purpose, computation, protection, priceUnits, termMs } = effect.terms;
      return [
        `Offer a licence for the dataset ${words.id(datasetId)}: ${purposeLabel(purpose)}, by ${computation}, protected by ${protection}.`,
        `It costs ${words.amount(priceUnits)} and lasts ${durationWords(termMs)}.`,
      ];
    }
    case 'withdrawLicenceOffer':
      return [`Sell no more licences of the offer ${words.id(effect.offerId)}; those that were bought stay.`];
    case 'writeOffReceipts':
      return [
        `Write off the private receipts ${effect.fromReceipt} to ${effect.toReceipt}, which nobody could divide: what is set aside for their contributors goes to the treasury.`,
        `Only receipts that were settled at least ${durationWords(LIMITS.writeOffAfterMs)} ago, and exactly the next ones that no epoch covers; what was divided stays divided.`,
      ];
  }
}

export const roleWords = (roles: number): string => roleNames(roles).join(', ') || 'none';

/** Where a proposal stands and what comes next, one sentence a line. */
export function explainStatus({ proposal, state, tally }: ProposalStatus, words: Words): string[] {
  return [stateWords({ proposal, state, tally }, words), ...tallyWords({ proposal, state, tally }, words)];
}

function stateWords({ proposal, state, tally }: ProposalStatus, { time }: Words): string {
  const { votingEndsAtMs, executableFromMs, executableUntilMs, executedAtMs } = proposal;
  switch (state) {
    case 'voting':
      return `Votes are taken until ${time(votingEndsAtMs)}. As it stands it would ${tally.passed ? 'pass' : 'fail'}.`;
    case 'rejected':
      return 'It was not passed.';
    case 'timelocked':
      return `It was passed. Anyone can execute it from ${time(executableFromMs)} to ${time(executableUntilMs)}.`;
    case 'executable':
      return `It was passed. Anyone can execute it now, until ${time(executableUntilMs)}.`;
    case 'executed':
      return `It was executed ${time(executedAtMs ?? executableFromMs)}.`;
    case 'lapsed':
      return `It was passed, but nobody executed it before ${time(executableUntilMs)}.`;
  }
}

function tallyWords({ proposal, tally }: ProposalStatus, { amount }: Words): string[] {
  const { yesVotes, noVotes, abstainVotes, totalVotes, voting, approvalBps } = proposal;
  const votes = (count: bigint): string => (voting === 'member' ? String(count) : amount(count));
  const cast = `${votes(yesVotes)} yes, ${votes(noVotes)} no, ${votes(abstainVotes)} abstained, of ${votes(totalVotes)}`;
  const quorum = `${tally.hasQuorum ? 'Enough have voted' : 'Too few have voted'}: ${votes(tally.castVotes)} of at least ${votes(tally.quorumVotes)}`;
  const reached = tally.approvalBps === null ? 'nobody has said yes or no' : `${percent(tally.approvalBps)} said yes`;
  return [`${cast}.`, `${quorum}; ${reached}, at least ${percent(approvalBps)} are needed.`];
}
