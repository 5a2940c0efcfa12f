import { describe, expect, it } from '@jest/globals';
import {
  asAmount,
  type Address,
  type DatasetId,
  type HolderSetId,
  type LicenceId,
  type SignerId,
} from '@usufruct/kernel';
import {
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  type ProposalEffect,
  type ProposalEffectKind,
} from '@usufruct/protocol';
import { idOf } from '@usufruct/testing';
import fc from 'fast-check';
import { durationText, durationWords, parseDuration } from './duration.js';
import { explainChange, explainEffect, explainPayoutRules, explainGovernance, roleWords } from './explain.js';

const words = {
  amount: (units: bigint) => `${units}u`,
  time: (atMs: number) => `t${atMs}`,
  id: (id: string) => id.slice(0, 4),
};
const to = idOf<Address>('to');

describe('durations', () => {
  it.each([
    ['3d', 259_200_000, '3 days'],
    ['36h', 129_600_000, '1 day 12 hours'],
    ['90s', 90_000, '1 minute 30 seconds'],
    ['1500ms', 1_500, '1 second 500 ms'],
    ['0s', 0, '0 ms'],
  ])('%s', (text, ms, said) => {
    expect(parseDuration(text, 'time')).toBe(ms);
    expect(durationWords(ms)).toBe(said);
  });
  it.each(['', '3', 'd', '-1d', '1.5h', '1w', '1 d', '1234567890123s'])('refuses "%s"', (text) => {
    const refused = expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      details: expect.objectContaining({ field: 'f' }),
    });
    expect(() => parseDuration(text, 'f')).toThrow(refused);
  });
  it('are read back as they were written', () => {
    fc.assert(
      fc.property(fc.nat(90 * 86_400_000), (ms) => {
        expect(parseDuration(durationText(ms), 'f')).toBe(ms);
      }),
    );
  });
});

describe('a proposal in words', () => {
  /** One of every kind: the type says when one is missing. */
  const effects: { readonly [K in ProposalEffectKind]: readonly [Extract<ProposalEffect, { kind: K }>, string] } = {
    setPrice: [{ kind: 'setPrice', pricePerQuestionUnits: asAmount(5n) }, 'Set the price of a question to 5u.'],
    setPurposes: [{ kind: 'setPurposes', purposes: ['dpv:ResearchAndDevelopment'] }, 'Research and development'],
    setSplit: [
      { kind: 'setSplit', split: { contributorsBps: 7_001, treasuryBps: 1_499, runnerBps: 1_000, protocolBps: 500 } },
      '70.01 % to contributors, 14.99 % to the treasury',
    ],
    approveMeasurement: [{ kind: 'approveMeasurement', measurement: 'abcd' }, 'abcd'],
    withdrawMeasurement: [{ kind: 'withdrawMeasurement', measurement: 'abcd' }, 'stop at once: abcd'],
    setVerifiers: [{ kind: 'setVerifiers', holderSetId: idOf<HolderSetId>('s'), verifierThreshold: 3 }, '3 of them'],
    setTerms: [
      {
        kind: 'setTerms',
        kinds: ['rag', 'stats'],
        protections: ['mpc'],
        profiles: ['tdx'],
        resultTermMs: 60_000,
        maxJobTermMs: 1_000,
      },
      'by rag, stats, protected by mpc, with evidence of tdx',
    ],
    setDataRules: [
      { kind: 'setDataRules', onRevocation: 'cancel', blobs: 'permanent', selfQueriesPay: false },
      'the job ends with it; what is not spent comes back. Contributions are stored so that nobody can delete them',
    ],
    setGovernance: [{ kind: 'setGovernance', governance: DEFAULT_GOVERNANCE }, 'Each member has one vote.'],
    setPayoutRules: [
      { kind: 'setPayoutRules', payoutRules: { ...DEFAULT_PAYOUT_RULES, mode: 'epoch' } },
      'weights that stay private',
    ],
    spendTreasury: [
      { kind: 'spendTreasury', to, amountUnits: asAmount(7n) },
      `Pay 7u from the treasury to ${to.slice(0, 4)}`,
    ],
    setRoles: [{ kind: 'setRoles', member: to, roles: 5 }, 'administrator, steward'],
    unpause: [{ kind: 'unpause' }, 'End the pause.'],
    registerSigner: [
      { kind: 'registerSigner', signerKind: 'fhe-host', publicKeys: [new Uint8Array(32)], payTo: to },
      'the host of an FHE evaluator',
    ],
    withdrawSigner: [{ kind: 'withdrawSigner', signerId: idOf<SignerId>('g') }, 'no more receipts'],
    tombstoneDataset: [{ kind: 'tombstoneDataset', datasetId: idOf<DatasetId>('d') }, 'for good'],
    offerLicence: [
      {
        kind: 'offerLicence',
        terms: {
          datasetId: idOf<DatasetId>('d'),
          purpose: 'dpv:ResearchAndDevelopment',
          computation: 'rag',
          protection: 'tee',
          priceUnits: asAmount(9n),
          termMs: 86_400_000,
        },
      },
      'It costs 9u and lasts 1 day.',
    ],
    withdrawLicenceOffer: [
      { kind: 'withdrawLicenceOffer', offerId: idOf<LicenceId>('o') },
      'those that were bought stay',
    ],
    writeOffReceipts: [
      { kind: 'writeOffReceipts', fromReceipt: 3n, toReceipt: 5n },
      'settled at least 30 days ago, and exactly the next ones',
    ],
  };
  it.each(Object.entries(effects))('%s', (_kind, [effect, said]) => {
    expect(explainEffect(effect, words).join(' ')).toContain(said);
  });
  it('says how a DAO decides and pays', () => {
    expect(explainGovernance({ ...DEFAULT_GOVERNANCE, policyByVoteOnly: true }).join(' ')).toMatch(
      /20 % of all votes .* 50.01 % of yes .* 3 days; after a timelock of 2 days .* 7 days\. Only a vote changes the policy\./,
    );
    expect(explainGovernance({ ...DEFAULT_GOVERNANCE, timelockMs: 0 }).join(' ')).toContain('3 days; then anyone can');
    expect(explainPayoutRules(DEFAULT_PAYOUT_RULES)).toHaveLength(1);
    expect(roleWords(0)).toBe('none');
  });
  it('says what of a policy changes', () => {
    const before = asAmount(1n);
    expect(explainChange({ field: 'pricePerQuestionUnits', before, after: asAmount(2n) }, words)).toBe(
      'Price of a question: 1u → 2u',
    );
    expect(explainChange({ field: 'treasuryBps', before: 1_000, after: 950 }, words)).toContain('10 % → 9.5 %');
    expect(explainChange({ field: 'maxJobTermMs', before: 60_000, after: 1_000 }, words)).toContain(
      '1 minute → 1 second',
    );
    expect(explainChange({ field: 'onRevocation', before: 'finish', after: 'cancel' }, words)).toContain(
      'the job goes on without it → the job ends',
    );
    expect(explainChange({ field: 'blobs', before: 'deletable', after: 'permanent' }, words)).toContain(
      'deletable → permanent',
    );
    expect(explainChange({ field: 'selfQueriesPay', before: false, after: true }, words)).toContain('no → yes');
    expect(explainChange({ field: 'kinds', added: ['stats'], removed: ['rag'] }, words)).toContain('+ stats, − rag');
    expect(explainChange({ field: 'kinds', added: [], removed: [] }, words)).toContain('another order');
  });
});
