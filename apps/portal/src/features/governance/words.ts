import type { ProposalEffectKind, ProposalState, RoleName } from '@usufruct/protocol';
import type { Words } from '@usufruct/sdk';
import { formatAmount, formatTime, shortId, type Coin } from '../../app/format.js';
import type { Tone } from '../../ui/layout.js';

export const wordsIn = (coin: Coin): Words => ({
  amount: (units) => formatAmount(units, coin),
  time: formatTime,
  id: shortId,
});

export const PROPOSAL_STATE: Readonly<Record<ProposalState, { words: string; tone: Tone }>> = {
  voting: { words: 'being voted on', tone: 'warn' },
  rejected: { words: 'not passed', tone: 'bad' },
  timelocked: { words: 'passed, waiting', tone: 'neutral' },
  executable: { words: 'passed, can be executed', tone: 'good' },
  executed: { words: 'executed', tone: 'good' },
  lapsed: { words: 'lapsed', tone: 'neutral' },
};

export const ROLE_LABELS: Readonly<Record<RoleName, { label: string; hint: string }>> = {
  administrator: { label: 'Administrator', hint: 'sets roles' },
  policyMaker: { label: 'Policy maker', hint: 'sets the policy, unless only votes do' },
  steward: { label: 'Steward', hint: 'decides on contributions and applications' },
};

/** In the order in which they are offered. */
export const EFFECT_LABELS: Readonly<Record<ProposalEffectKind, string>> = {
  setPrice: 'Set the price of a question',
  setPurposes: 'Set the purposes',
  setSplit: 'Divide the price differently',
  approveMeasurement: 'Approve code',
  withdrawMeasurement: 'Withdraw code',
  spendTreasury: 'Pay from the treasury',
  setRoles: 'Set the roles of a member',
  setGovernance: 'Change how the DAO decides',
  setPayoutRules: 'Change how contributors are paid',
  setVerifiers: 'Change key holders and verifiers',
  setTerms: 'Change kinds, protections and terms',
  setDataRules: 'Change what becomes of data in use and stored',
  unpause: 'End the pause',
  offerLicence: 'Offer a licence',
  withdrawLicenceOffer: 'Withdraw a licence offer',
  registerSigner: 'Register a signer of receipts',
  withdrawSigner: 'Withdraw a signer',
  tombstoneDataset: 'Retire a dataset for good',
  writeOffReceipts: 'Write off private receipts',
};
