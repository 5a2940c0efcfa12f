import { describe, expect, it } from '@jest/globals';
import { asAmount } from '@usufruct/kernel';
import { policyAfter, policyDiff, type ProposalEffect, type ProposalEffectKind } from '@usufruct/protocol';
import { aDao, aPolicy, idOf } from '@usufruct/testing';
import { firstProposalDraft, readProposal, type ProposalDraft } from './proposal-draft.js';
import { EFFECT_LABELS } from './words.js';

const coin = { symbol: 'LUSD', decimals: 6 };
const dao = aDao({
  policy: aPolicy({ split: { contributorsBps: 7_001, treasuryBps: 1_499, runnerBps: 1_000, protocolBps: 500 } }),
});
const first = firstProposalDraft(dao, coin);
const CODE = 'cd'.repeat(48);
/** What the fields that begin empty need, for every kind. */
const filled: ProposalDraft = {
  ...first,
  measurement: ` ${CODE}\n`,
  address: ` ${idOf('somebody').toUpperCase().replace('0X', '0x')} `,
  amount: '2.5',
  roles: ['steward'],
  keys: `${idOf('a')}\n${idOf('b')}\n${idOf('c')}`,
  objectId: idOf('object'),
  fromReceipt: '3',
  toReceipt: '5',
};
const read = (kind: ProposalEffectKind, part: Partial<ProposalDraft> = {}): ProposalEffect =>
  readProposal({ ...filled, ...part, kind }, coin);

describe('a proposal from a form', () => {
  it.each(Object.keys(EFFECT_LABELS) as ProposalEffectKind[])('is read: %s', (kind) => {
    expect(read(kind).kind).toBe(kind);
  });

  it.each(['setPrice', 'setPurposes', 'setSplit', 'setVerifiers', 'setDataRules'] as const)(
    'begins with what the DAO has: %s changes nothing yet',
    (kind) => {
      const after = policyAfter(dao.policy, readProposal({ ...first, kind }, coin));
      expect(after === null ? null : policyDiff(dao.policy, after)).toEqual([]);
    },
  );

  it('begins with the terms and rules that the DAO has', () => {
    const { kinds, protections, appraisal, maxJobTermMs } = dao.policy;
    const { profiles, resultTermMs } = appraisal;
    expect(read('setTerms')).toEqual({ kind: 'setTerms', kinds, protections, profiles, resultTermMs, maxJobTermMs });
    expect(read('setGovernance')).toEqual({ kind: 'setGovernance', governance: dao.governance });
    expect(read('setPayoutRules')).toEqual({ kind: 'setPayoutRules', payoutRules: dao.payoutRules });
  });

  it('reads amounts, percentages, times, ids and keys exactly', () => {
    const to = idOf('somebody');
    expect(read('setPrice', { price: '0.000001' })).toEqual({ kind: 'setPrice', pricePerQuestionUnits: 1n });
    expect(read('spendTreasury')).toEqual({ kind: 'spendTreasury', to, amountUnits: asAmount(2_500_000n) });
    expect(read('setRoles')).toEqual({ kind: 'setRoles', member: to, roles: 4 });
    expect(read('approveMeasurement')).toEqual({ kind: 'approveMeasurement', measurement: CODE });
    const governance = { ...first.governance, quorumPercent: '33.33', votingTime: '90s', policyByVoteOnly: true };
    expect(read('setGovernance', { governance })).toMatchObject({
      governance: { quorumBps: 3_333, votingMs: 90_000, policyByVoteOnly: true },
    });
    const signer = read('registerSigner');
    expect(signer.kind === 'registerSigner' && signer.publicKeys.map((key) => key.length)).toEqual([32, 32, 32]);
  });

  it.each<[string, ProposalEffectKind, Partial<ProposalDraft>]>([
    ['price', 'setPrice', { price: '-1' }],
    ['price', 'setPrice', { price: '0.0000001' }],
    ['purposes', 'setPurposes', { purposes: [] }],
    ['contributors', 'setSplit', { contributorsPercent: 'x' }],
    ['approved code', 'approveMeasurement', { measurement: 'ab' }],
    ['code', 'withdrawMeasurement', { measurement: `${CODE} ${CODE}` }],
    ['holder set', 'setVerifiers', { holderSetId: '0x1' }],
    ['verifiers needed', 'setVerifiers', { threshold: '2.5' }],
    ['kinds of computation', 'setTerms', { kinds: [] }],
    ['longest session', 'setTerms', { maxSession: '1' }],
    ['quorum', 'setGovernance', { governance: { ...first.governance, quorumPercent: '20.001' } }],
    ['timelock', 'setGovernance', { governance: { ...first.governance, timelock: 'soon' } }],
    ['time to claim', 'setPayoutRules', { payoutRules: { ...first.payoutRules, claimTerm: '' } }],
    ['to', 'spendTreasury', { address: '' }],
    ['amount', 'spendTreasury', { amount: '' }],
    ['member', 'setRoles', { address: 'me' }],
    ['keys', 'registerSigner', { keys: 'ab' }],
    ['signer', 'withdrawSigner', { objectId: '' }],
    ['dataset', 'offerLicence', { objectId: 'x' }],
    ['licence', 'offerLicence', { kinds: [] }],
    ['term', 'offerLicence', { term: '1y' }],
    ['offer', 'withdrawLicenceOffer', { objectId: '' }],
    ['first receipt', 'writeOffReceipts', { fromReceipt: '', toReceipt: '2' }],
    ['last receipt', 'writeOffReceipts', { fromReceipt: '1', toReceipt: 'two' }],
  ])('is refused for its %s: %s', (field, kind, part) => {
    const refused = { code: 'INVALID_ARGUMENT', details: expect.objectContaining({ field }) };
    expect(() => read(kind, part)).toThrow(expect.objectContaining(refused));
  });

  it('is refused for a split that is no whole', () => {
    expect(() => read('setSplit', { runnerPercent: '11' })).toThrow(expect.objectContaining({ code: 'SPLIT_INVALID' }));
  });
});
