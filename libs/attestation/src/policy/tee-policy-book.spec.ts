import { describe, expect, it } from '@jest/globals';
import type { DaoId, Digest } from '@usufruct/kernel';
import { POLICY as TDX } from '../../../../test/support/tdx-world.js';
import { readTeePolicyBook, teePolicyFor, zTeePolicy } from './tee-policy-book.js';

const DAO = `0x${'da'.repeat(32)}` as DaoId;
const OTHER = `0x${'0b'.repeat(32)}` as DaoId;
const DIGEST = `0x${'d1'.repeat(32)}` as Digest;
const NEWER = `0x${'d2'.repeat(32)}` as Digest;
const bookOf = (...policies: object[]): string => JSON.stringify({ v: 1, policies });
const entry = (changes: object = {}) => ({ daoId: DAO, teePolicy: { tdx: TDX }, ...changes });
const later = { tdx: { ...TDX, version: 2 } };

describe('a book of policies for hardware', () => {
  it('gives the document for exactly this appraisal policy, else the one for any', () => {
    const book = readTeePolicyBook(
      bookOf(entry(), entry({ appraisalPolicyDigest: DIGEST, teePolicy: later })),
      'TEE_POLICY_FILE',
    );
    expect(teePolicyFor(book, DAO, DIGEST)).toEqual(later);
    expect(teePolicyFor(book, DAO, NEWER)).toEqual({ tdx: TDX });
    expect(teePolicyFor(book, OTHER, DIGEST)).toBeUndefined();
  });

  it('gives none for another appraisal policy when there is no document for any', () => {
    const book = readTeePolicyBook(bookOf(entry({ appraisalPolicyDigest: DIGEST })), 'TEE_POLICY_FILE');
    expect(teePolicyFor(book, DAO, NEWER)).toBeUndefined();
  });

  it.each([
    ['no JSON', 'policies'],
    ['one case twice', bookOf(entry(), entry())],
    ['a policy of no kind', bookOf(entry({ teePolicy: {} }))],
    ['a kind that nobody knows', bookOf(entry({ teePolicy: { tdx: TDX, sgx: {} } }))],
    ['a member too many', bookOf(entry({ note: 'x' }))],
    ['another version', JSON.stringify({ v: 2, policies: [] })],
    ['Revoked as a choice', bookOf(entry({ teePolicy: { tdx: { ...TDX, tcbStatuses: ['Revoked'] } } }))],
  ])('is refused with %s', (_name, text) => {
    expect(() => readTeePolicyBook(text, 'TEE_POLICY_FILE')).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        details: expect.objectContaining({ setting: 'TEE_POLICY_FILE' }),
      }),
    );
  });

  it('holds documents that are policies', () => {
    expect(zTeePolicy.safeParse({ tdx: TDX }).success).toBe(true);
    expect(zTeePolicy.safeParse({ tdx: undefined }).success).toBe(false);
  });
});
