import { beforeEach, describe, expect, it } from '@jest/globals';
import { asAmount, UsufructError, type ErrorCode } from '@usufruct/kernel';
import fc from 'fast-check';
import { ISSUANCE_ACCOUNT, type AccountId } from './accounts.js';
import { Book } from './book.js';

const ALICE = 'wallet:alice' as AccountId;
const BOB = 'wallet:bob' as AccountId;
const entry = (id: string, from: AccountId, to: AccountId, units: bigint) => ({
  id,
  postings: [
    { account: from, deltaUnits: -units },
    { account: to, deltaUnits: units },
  ],
});
const transfer = (id: string, units: bigint) => ({ id, from: ALICE, to: BOB, amountUnits: asAmount(units) });

describe('Book', () => {
  let book: Book;
  beforeEach(() => {
    book = new Book();
    book.record(entry('issue', ISSUANCE_ACCOUNT, ALICE, 100n));
  });

  it('posts once per id', () => {
    book.record(entry('a', ALICE, BOB, 30n));
    book.record(entry('a', ALICE, BOB, 30n));
    expect([book.balanceOf(ALICE), book.balanceOf(BOB), book.balanceOf(ISSUANCE_ACCOUNT)]).toEqual([70n, 30n, -100n]);
    expect(book.entries()).toHaveLength(2);
    book.assertBacked();
  });

  it('sets aside, posts a part, frees the rest', () => {
    book.reserve(transfer('t', 60n));
    expect([book.balanceOf(ALICE), book.availableOn(ALICE)]).toEqual([100n, 40n]);
    // 60 set aside, 25 moved: 100 − 25 = 75 left, all of it free
    expect(book.post('t', asAmount(25n)).state).toBe('posted');
    expect([book.balanceOf(ALICE), book.availableOn(ALICE), book.balanceOf(BOB)]).toEqual([75n, 75n, 25n]);
    expect(book.post('t', asAmount(25n)).postedUnits).toBe(25n);
    expect(book.balanceOf(BOB)).toBe(25n);
    book.assertBacked();
  });

  it('gives a voided transfer back, once', () => {
    book.reserve(transfer('t', 60n));
    book.void('t');
    expect(book.void('t').state).toBe('voided');
    expect(book.availableOn(ALICE)).toBe(100n);
    book.assertBacked();
  });

  const refusals: [string, (b: Book) => unknown, ErrorCode][] = [
    ['more than the balance', (b) => b.record(entry('x', ALICE, BOB, 101n)), 'INSUFFICIENT_BALANCE'],
    ['money set aside', (b) => b.record(entry('x', ALICE, BOB, 50n)), 'INSUFFICIENT_BALANCE'],
    ['setting aside what is set aside', (b) => b.reserve(transfer('x', 41n)), 'INSUFFICIENT_BALANCE'],
    ['taking from the issuance what is not there', (b) => b.record(entry('x', BOB, ALICE, 1n)), 'INSUFFICIENT_BALANCE'],
    [
      'burning more than was issued',
      (b) => b.record(entry('x', ALICE, ISSUANCE_ACCOUNT, 101n)),
      'INSUFFICIENT_BALANCE',
    ],
    [
      'setting issuance aside',
      (b) => b.reserve({ ...transfer('x', 1n), from: ISSUANCE_ACCOUNT }),
      'INSUFFICIENT_BALANCE',
    ],
    ['an id with other postings', (b) => b.record(entry('issue', ALICE, BOB, 1n)), 'IDEMPOTENCY_KEY_REUSED'],
    ['a transfer id with another amount', (b) => b.reserve(transfer('held', 59n)), 'IDEMPOTENCY_KEY_REUSED'],
    [
      'postings that make money',
      (b) => b.record({ id: 'x', postings: [{ account: ALICE, deltaUnits: 1n }] }),
      'INVALID_ARGUMENT',
    ],
    ['an id that names a transfer', (b) => b.record(entry('transfer:held', ALICE, BOB, 1n)), 'INVALID_ARGUMENT'],
    ['posting more than was set aside', (b) => b.post('held', asAmount(61n)), 'INVALID_ARGUMENT'],
    ['posting what was voided', (b) => b.post(b.void('held').id), 'INVALID_ARGUMENT'],
    ['voiding what was posted', (b) => b.void(b.post('held').id), 'INVALID_ARGUMENT'],
    ['posting another amount again', (b) => b.post(b.post('held').id, asAmount(1n)), 'INVALID_ARGUMENT'],
    ['an unknown transfer', (b) => b.post('nobody'), 'NOT_FOUND'],
  ];
  it.each(refusals)('refuses %s', (_name, run, code) => {
    book.reserve(transfer('held', 60n));
    expect(codeOf(() => run(book))).toBe(code);
    book.assertBacked();
  });

  it('stays backed under any sequence, refused steps change nothing', () => {
    const account = fc.constantFrom<AccountId>(ALICE, BOB, ISSUANCE_ACCOUNT);
    const id = fc.constantFrom('1', '2', '3', '4', '5', '6');
    const units = fc.bigInt(0n, 80n);
    const step = fc.oneof(
      fc.record({ do: fc.constant('record' as const), id, from: account, to: account, units }),
      fc.record({ do: fc.constant('reserve' as const), id, from: account, to: account, units }),
      fc.record({ do: fc.constant('post' as const), id, units: fc.option(units, { nil: undefined }) }),
      fc.record({ do: fc.constant('void' as const), id }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const any = new Book();
        for (const s of steps) {
          const before = snapshot(any);
          try {
            if (s.do === 'record') any.record(entry(s.id, s.from, s.to, s.units));
            else if (s.do === 'reserve')
              any.reserve({ id: s.id, from: s.from, to: s.to, amountUnits: asAmount(s.units) });
            else if (s.do === 'post') any.post(s.id, s.units === undefined ? undefined : asAmount(s.units));
            else any.void(s.id);
          } catch (error) {
            expect(error).toBeInstanceOf(UsufructError);
            expect(snapshot(any)).toEqual(before);
          }
          any.assertBacked();
        }
      }),
    );
  });
});

const snapshot = (book: Book) => [
  book.accounts().map((a) => [a, book.balanceOf(a), book.availableOn(a)]),
  ['1', '2', '3', '4', '5', '6'].map((id) => book.transfer(id)),
  book.entries().length,
];

function codeOf(run: () => unknown): ErrorCode | 'no error' {
  try {
    run();
  } catch (error) {
    if (error instanceof UsufructError) return error.code;
    throw error;
  }
  return 'no error';
}
