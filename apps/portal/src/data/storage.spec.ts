import { describe, expect, it } from '@jest/globals';
import { storageAdvice, storageWords, type Storage } from './storage.js';

const storage = (changes: Partial<Storage>): Storage => ({
  leaseEndEpoch: 30,
  epoch: 24,
  level: null,
  availability: 'readable',
  sampledAtMs: null,
  renewing: false,
  ...changes,
});

describe('how a contribution lies in the store', () => {
  it.each<[Partial<Storage>, string, string]>([
    [{}, '6 epochs left', 'good'],
    [{ epoch: 28, level: 'notice' }, '2 epochs left', 'warn'],
    [{ epoch: 29, level: 'urgent' }, '1 epoch left', 'bad'],
    [{ epoch: 30, level: 'expired' }, 'lease ended with epoch 30', 'bad'],
    [{ epoch: 29, level: 'urgent', renewing: true }, 'lease is being renewed', 'neutral'],
    [{ epoch: 30, level: 'expired', renewing: true }, 'lease ended with epoch 30', 'bad'],
    [{ availability: 'suspected' }, 'not found at the last look', 'warn'],
    [{ availability: 'lost', renewing: true }, 'not in the store any more', 'bad'],
    [{ epoch: null }, 'until epoch 30', 'neutral'],
    [{ leaseEndEpoch: 2_147_483_647 }, 'stored until it is deleted', 'good'],
  ])('%j is said as "%s"', (changes, words, tone) => {
    expect(storageWords(storage(changes))).toEqual({ words, tone });
  });

  it('asks for nothing while nothing is to be done', () => {
    expect(storageAdvice(storage({}))).toBeNull();
    expect(storageAdvice(storage({ availability: 'suspected' }))).toBeNull();
    expect(storageAdvice(storage({ level: 'notice' }))).toContain('usufruct contribution renew');
    expect(storageAdvice(storage({ level: 'expired' }))).toContain('at any time');
    expect(storageAdvice(storage({ availability: 'lost', level: 'expired' }))).toContain('contribute the file again');
  });
});
