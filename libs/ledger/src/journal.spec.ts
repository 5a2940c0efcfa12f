import { describe, expect, it } from '@jest/globals';
import type { DaoId, EpochId } from '@usufruct/kernel';
import { epochAccountOf, receiptPoolAccountOf, zChainEventData } from '@usufruct/protocol';
import { journalOf } from './journal.js';

const id = (n: number): string => `0x${n.toString(16).padStart(64, '0')}`;
const event = (data: Record<string, unknown>) => zChainEventData.parse(data);
const lines = (data: Record<string, unknown>) => journalOf(event(data)).map((p) => [p.account, p.deltaUnits]);

const job = {
  id: id(1),
  daoId: id(2),
  datasetId: id(3),
  requester: id(4),
  purpose: 'DUO:0000042',
  kind: 'rag',
  protection: 'tee',
  policyVersion: 1,
  pricePerQuestionUnits: '100',
  maxQuestions: 3,
  questionsSettled: 0,
  escrowUnits: '300',
  split: { contributorsBps: 7_000, treasuryBps: 1_500, runnerBps: 1_000, protocolBps: 500 },
  payoutMode: 'direct',
  clientPublicKey: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  state: 'funded',
  fundedAtMs: 1,
  expiresAtMs: 2,
};
const settled = {
  type: 'ReceiptSettled',
  jobId: id(1),
  questionId: id(5),
  receiptDigest: id(6),
  priceUnits: '100',
  uses: [],
  payouts: [
    { account: id(7), role: 'contributor', contributionId: id(8), amountUnits: '70' },
    { account: id(9), role: 'treasury', contributionId: null, amountUnits: '30' },
  ],
  questionsSettled: 1,
  escrowLeftUnits: '200',
};
const settledPrivately = {
  type: 'ReceiptSettledPrivately',
  jobId: id(1),
  questionId: id(5),
  daoId: id(2),
  receiptDigest: id(6),
  priceUnits: '100',
  payouts: [{ account: id(9), role: 'treasury', contributionId: null, amountUnits: '30' }],
  pooledUnits: '70',
  receiptNumber: '1',
  receiptChain: id(11),
  questionsSettled: 1,
  escrowLeftUnits: '200',
};
const proposed = {
  id: id(10),
  daoId: id(2),
  number: '1',
  attempt: 1,
  settler: id(12),
  fromReceipt: '1',
  toReceipt: '1',
  totalUnits: '70',
  root: id(13),
  leafCount: 1,
  claimedUnits: '0',
  state: 'open',
  objections: [],
  proposedAtMs: 1,
  challengeEndsAtMs: 2,
  claimTermMs: 1_000,
  unclaimedTo: 'treasury',
};

describe('journalOf', () => {
  it('issues', () => {
    expect(lines({ type: 'Minted', to: id(4), amountUnits: '300' })).toEqual([
      ['issuance', -300n],
      [`wallet:${id(4)}`, 300n],
    ]);
  });
  it('transfers', () => {
    expect(lines({ type: 'Transferred', from: id(4), to: id(5), amountUnits: '7' })).toEqual([
      [`wallet:${id(4)}`, -7n],
      [`wallet:${id(5)}`, 7n],
    ]);
  });
  it('locks the escrow of a job', () => {
    expect(lines({ type: 'JobFunded', job })).toEqual([
      [`wallet:${id(4)}`, -300n],
      [`escrow:${id(1)}`, 300n],
    ]);
  });
  it('pays out of the escrow', () => {
    expect(lines(settled)).toEqual([
      [`escrow:${id(1)}`, -70n],
      [`wallet:${id(7)}`, 70n],
      [`escrow:${id(1)}`, -30n],
      [`wallet:${id(9)}`, 30n],
    ]);
  });
  it('refunds', () => {
    const closed = { type: 'JobClosed', jobId: id(1), state: 'cancelled', refundedTo: id(4) };
    expect(lines({ ...closed, refundUnits: '200' })).toEqual([
      [`escrow:${id(1)}`, -200n],
      [`wallet:${id(4)}`, 200n],
    ]);
    expect(lines({ ...closed, refundUnits: '0' })).toEqual([]);
  });
  it('sets the contributors’ part of a private settlement aside, and moves it with its epoch', () => {
    const pool = `wallet:${receiptPoolAccountOf(id(2) as DaoId)}`;
    const epoch = `wallet:${epochAccountOf(id(10) as EpochId)}`;
    expect(pool).not.toBe(epoch);
    expect(lines(settledPrivately)).toEqual([
      [`escrow:${id(1)}`, -30n],
      [`wallet:${id(9)}`, 30n],
      [`escrow:${id(1)}`, -70n],
      [pool, 70n],
    ]);
    expect(lines({ type: 'EpochProposed', epoch: proposed })).toEqual([
      [pool, -70n],
      [epoch, 70n],
    ]);
    const about = { epochId: id(10), daoId: id(2) };
    expect(lines({ type: 'EpochRejected', ...about, amountUnits: '70' })).toEqual([
      [epoch, -70n],
      [pool, 70n],
    ]);
    expect(lines({ type: 'PayoutClaimed', ...about, index: 0, account: id(7), amountUnits: '60' })).toEqual([
      [epoch, -60n],
      [`wallet:${id(7)}`, 60n],
    ]);
    const swept = { type: 'EpochSwept', ...about, unclaimedTo: 'treasury', account: id(9) };
    expect(lines({ ...swept, amountUnits: '10' })).toEqual([
      [epoch, -10n],
      [`wallet:${id(9)}`, 10n],
    ]);
    expect(lines({ ...swept, amountUnits: '0' })).toEqual([]);
    const written = { type: 'ReceiptsWrittenOff', daoId: id(2), fromReceipt: '1', toReceipt: '2', amountUnits: '70' };
    // The treasury's account, as below.
    expect(lines(written)).toEqual([
      [pool, -70n],
      ['wallet:0x8f87b38eaa80bc6acb337fd57e4ee1c99c0e1ff01b1fac891268185c20768ab2', 70n],
    ]);
  });
  it('refuses a private settlement whose parts are another sum than its price', () => {
    expect(() => journalOf(event({ ...settledPrivately, pooledUnits: '69' }))).toThrow(/pooled part are not the price/);
  });
  it('spends a treasury', () => {
    // The treasury's account: SHA-256 over length-prefixed 'usufruct/object-id/v1', 'treasury' and 32 bytes 0…02.
    const treasury = '0x8f87b38eaa80bc6acb337fd57e4ee1c99c0e1ff01b1fac891268185c20768ab2';
    expect(lines({ type: 'TreasurySpent', daoId: id(2), to: id(4), amountUnits: '5' })).toEqual([
      [`wallet:${treasury}`, -5n],
      [`wallet:${id(4)}`, 5n],
    ]);
  });
  const licence = {
    id: id(20),
    offerId: id(21),
    daoId: id(2),
    licensee: id(4),
    terms: {
      datasetId: id(3),
      purpose: 'DUO:0000042',
      computation: 'rag',
      protection: 'tee',
      priceUnits: '100',
      termMs: 1,
    },
    boughtAtMs: 1,
    expiresAtMs: 2,
  };
  const bought = {
    type: 'LicenceBought',
    licence,
    payouts: [
      { account: id(9), role: 'treasury', contributionId: null, amountUnits: '98' },
      { account: id(7), role: 'protocol', contributionId: null, amountUnits: '2' },
    ],
  };
  it('pays for a licence', () => {
    expect(lines(bought)).toEqual([
      [`wallet:${id(4)}`, -98n],
      [`wallet:${id(9)}`, 98n],
      [`wallet:${id(4)}`, -2n],
      [`wallet:${id(7)}`, 2n],
    ]);
  });
  it('refuses a licence that pays another sum than its price', () => {
    const payouts = bought.payouts.slice(0, 1);
    expect(() => journalOf(event({ ...bought, payouts }))).toThrow(/payouts are not the price/);
  });
  it('moves nothing where no money moves', () => {
    expect(lines({ type: 'GrantRevoked', grantId: id(1), contributionId: id(2), revokedAtMs: 5 })).toEqual([]);
  });
  it('refuses a settlement that pays another sum than its price', () => {
    expect(() => journalOf(event({ ...settled, priceUnits: '99' }))).toThrow(/payouts are not the price/);
  });
});
