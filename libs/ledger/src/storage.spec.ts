import { describe, expect, it } from '@jest/globals';
import { asAmount, type ContributionId, type DaoId } from '@usufruct/kernel';
import fc from 'fast-check';
import {
  storageBudgetAccount,
  storageChargePostings,
  storageChargeUnits,
  storageCostAccount,
  storageFundingPostings,
  storageFundsAccount,
} from './storage.js';

const daoId = `0x${'a1'.repeat(32)}` as DaoId;
const contributionId = `0x${'b2'.repeat(32)}` as ContributionId;
const tariff = { unitsPerMibEpoch: asAmount(7n) };

describe('the storage book', () => {
  it.each([
    [1, 1, 7n], // one begun MiB
    [1_048_576, 1, 7n], // exactly one
    [1_048_577, 1, 14n], // a second is begun
    [8 * 1_048_576, 26, 1_456n], // 8 MiB · 26 epochs · 7
    [5, 0, 0n],
  ])('charges %d bytes for %d epochs with %d units', (sizeBytes, epochs, units) => {
    expect(storageChargeUnits(tariff, { sizeBytes, epochs })).toBe(units);
  });

  it.each([
    ['no bytes', { sizeBytes: 0, epochs: 1 }],
    ['half a byte', { sizeBytes: 0.5, epochs: 1 }],
    ['less than no epochs', { sizeBytes: 1, epochs: -1 }],
    ['more than money can say', { sizeBytes: 2 ** 52, epochs: 2 ** 50 }],
  ])('refuses %s', (_, lease) => {
    expect(() => storageChargeUnits(tariff, lease)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('adds up: what was paid in is what is left and what was spent', () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 15n }).map((units) => asAmount(units));
    fc.assert(
      fc.property(fc.array(amount), fc.array(amount), (paid, spent) => {
        const postings = [
          ...paid.flatMap((units) => storageFundingPostings(daoId, units)),
          ...spent.flatMap((units) => storageChargePostings(daoId, contributionId, units)),
        ];
        const on = (account: string) =>
          postings.reduce((sum, posting) => (posting.account === account ? sum + posting.deltaUnits : sum), 0n);
        const [budget, funds] = [on(storageBudgetAccount(daoId)), on(storageFundsAccount(daoId))];
        expect(budget + funds + on(storageCostAccount(contributionId))).toBe(0n);
        expect(-funds).toBe(paid.reduce<bigint>((sum, units) => sum + units, 0n));
      }),
    );
  });
});
