import { describe, expect, it } from '@jest/globals';
import { asAmount } from '@usufruct/kernel';
import {
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  ROLES,
  zProposalEffect,
  type ProposalView,
} from '@usufruct/protocol';
import { idOf } from '@usufruct/testing';
import { summaryOf } from './proposal-summary.js';

type Effect = ProposalView['effect'];
const MINUTE_MS = 60_000;
const [to, datasetId, holderSetId, offerId, signerId] = [
  idOf<never>('to'),
  idOf<never>('dataset'),
  idOf<never>('holders'),
  idOf<never>('offer'),
  idOf<never>('signer'),
];
const terms = {
  datasetId,
  purpose: 'DUO:0000042',
  computation: 'train' as const,
  protection: 'mpc' as const,
  priceUnits: asAmount(5n),
  termMs: 90 * MINUTE_MS,
};
const setTerms = {
  kinds: ['rag' as const, 'stats' as const],
  protections: ['tee' as const],
  profiles: ['software-dev' as const],
  resultTermMs: 24 * 60 * MINUTE_MS,
  maxJobTermMs: 1_500,
};

/** What people read before they vote: each effect, word for word. */
const ROWS: readonly (readonly [Effect, string])[] = [
  [
    { kind: 'setPrice', pricePerQuestionUnits: asAmount(2n ** 64n - 1n) },
    'Set the price of a question to 18446744073709551615 units.',
  ],
  [
    { kind: 'setPurposes', purposes: ['DUO:0000042', 'dpv:Marketing'] },
    'Allow these purposes and no others: DUO:0000042, dpv:Marketing.',
  ],
  [
    { kind: 'setSplit', split: { contributorsBps: 7_005, treasuryBps: 2_000, runnerBps: 900, protocolBps: 95 } },
    'Divide each payment anew: 70.05 % to contributors, 20.00 % to the treasury, 9.00 % to the runner, 0.95 % to the protocol.',
  ],
  [{ kind: 'approveMeasurement', measurement: 'ab' }, 'Approve the runner measurement ab.'],
  [
    { kind: 'withdrawMeasurement', measurement: 'ab' },
    'Withdraw the runner measurement ab: runners of it stop at once.',
  ],
  [
    { kind: 'setVerifiers', holderSetId, verifierThreshold: 2 },
    `Let 2 members of the holder set ${holderSetId} verify runners and epochs.`,
  ],
  [
    { kind: 'setTerms', ...setTerms },
    'Allow the computations rag, stats under the protections tee, with evidence of software-dev; a runner’s registration lasts at most 1 day, a job at most 1500 milliseconds.',
  ],
  [
    { kind: 'setGovernance', governance: { ...DEFAULT_GOVERNANCE, voting: 'contribution', policyByVoteOnly: true } },
    'Decide by other rules: each unit that a member has earned is one vote, once somebody has earned any; 20.00 % must vote and 50.01 % of yes and no must be yes; voting takes 3 days, the timelock 2 days, and execution is possible for 7 days. Only votes may change the policy.',
  ],
  [
    { kind: 'setGovernance', governance: { ...DEFAULT_GOVERNANCE, timelockMs: 0 } },
    'Decide by other rules: each member has one vote; 20.00 % must vote and 50.01 % of yes and no must be yes; voting takes 3 days, the timelock 0 milliseconds, and execution is possible for 7 days. Policy makers may change the policy without a vote.',
  ],
  [
    { kind: 'setPayoutRules', payoutRules: { ...DEFAULT_PAYOUT_RULES, mode: 'epoch', unclaimedTo: 'protocol' } },
    'Pay the contributors of new jobs by epochs, with private weights; an epoch can be objected to for 3 days, then claimed from for 365 days, and what is left goes to the protocol.',
  ],
  [{ kind: 'spendTreasury', to, amountUnits: asAmount(7n) }, `Pay 7 units from the treasury to ${to}.`],
  [{ kind: 'setRoles', member: to, roles: 0 }, `Give ${to} no role.`],
  [{ kind: 'setRoles', member: to, roles: ROLES.steward }, `Give ${to} the role steward, no others.`],
  [
    { kind: 'setRoles', member: to, roles: ROLES.steward + ROLES.administrator },
    `Give ${to} the roles administrator, steward, no others.`,
  ],
  [{ kind: 'unpause' }, 'End the pause: new members, contributions and jobs are possible again.'],
  [
    { kind: 'registerSigner', signerKind: 'fhe-host', publicKeys: ['a2V5'], payTo: to },
    `Accept receipts of the FHE host with the keys a2V5, and pay its part to ${to}.`,
  ],
  [{ kind: 'withdrawSigner', signerId }, `Accept no more receipts of the signer ${signerId}.`],
  [
    { kind: 'tombstoneDataset', datasetId },
    `Retire the dataset ${datasetId} for good: nothing new may be done with it.`,
  ],
  [
    { kind: 'offerLicence', terms },
    `Offer licences: train under mpc for DUO:0000042 on the dataset ${datasetId}, for 90 minutes and 5 units.`,
  ],
  [
    { kind: 'withdrawLicenceOffer', offerId },
    `Sell no more licences of the offer ${offerId}. Those that were sold go on.`,
  ],
  [
    { kind: 'setDataRules', onRevocation: 'cancel', blobs: 'deletable', selfQueriesPay: false },
    'When data is no longer allowed, end the jobs that use it; store contributions so that their owners can delete them; do not pay contributors for their own questions.',
  ],
  [
    { kind: 'setDataRules', onRevocation: 'finish', blobs: 'permanent', selfQueriesPay: true },
    'When data is no longer allowed, let the jobs that use it go on without it; store contributions so that nobody can delete them before the leases end; pay contributors for their own questions.',
  ],
  [
    { kind: 'writeOffReceipts', fromReceipt: 3n, toReceipt: 5n },
    'Give up what is set aside for the contributors of the private receipts 3 to 5, which nobody could divide: it goes to the treasury.',
  ],
];

describe('a proposal in plain words', () => {
  it.each(ROWS.map(([effect, words]) => [effect.kind, effect, words] as const))('%s', (_, effect, words) => {
    expect(summaryOf(effect)).toBe(words);
  });

  it('is there for every effect of the protocol', () => {
    const kinds = zProposalEffect.options.map(({ shape }) => shape.kind.value);
    expect([...new Set(ROWS.map(([{ kind }]) => kind))].sort()).toEqual(kinds.sort());
  });
});
