import { describe, expect, it } from '@jest/globals';
import { UsufructError } from '@usufruct/kernel';
import fc from 'fast-check';
import { asMicroEpsilon, commit, openBudget, reserve, usedMicroEpsilon, voidReservation } from './budget.js';
import { epsilonOf } from './epsilon.js';
import { rdpOf } from './subsampled-gaussian.js';

const orders = [2, 4, 8, 16, 32, 63];
const terms = { budgetMicroEpsilon: asMicroEpsilon(3_000_000n), delta: 1e-5, orders };
const empty = openBudget(terms);
const cost = (steps: number) => rdpOf({ sampleRate: 0.01, noiseMultiplier: 1, steps, orders });
const refusal = (code: string) => expect.objectContaining({ code });

describe('the privacy budget', () => {
  it('charges the composition, in millionths rounded up', () => {
    const two = reserve(commit(reserve(empty, 'a', cost(100)), 'a'), 'b', cost(200));
    expect(usedMicroEpsilon(empty)).toBe(0n);
    expect(usedMicroEpsilon(two)).toBe(BigInt(Math.ceil(epsilonOf(cost(300), 1e-5).epsilon * 1e6)));
    // one order, rdp 1 + 0.5: 1.5 − (ln 1e-5 + ln 2) + ln(1/2) = 11.62663110… → 11,626,632 millionths
    const plain = openBudget({ ...terms, budgetMicroEpsilon: asMicroEpsilon(11_626_632n), orders: [2] });
    const first = reserve(plain, 'a', { orders: [2], rdp: [1] });
    expect(usedMicroEpsilon(reserve(first, 'b', { orders: [2], rdp: [0.5] }))).toBe(11_626_632n);
    const short = { ...first, budgetMicroEpsilon: asMicroEpsilon(11_626_631n) };
    expect(() => reserve(short, 'b', { orders: [2], rdp: [0.5] })).toThrow(refusal('BUDGET_EXHAUSTED'));
  });

  it('is idempotent by id', () => {
    const once = reserve(empty, 'a', cost(10));
    expect(reserve(once, 'a', cost(10))).toBe(once);
    const committed = commit(once, 'a');
    expect(commit(committed, 'a')).toBe(committed);
    expect(reserve(committed, 'a', cost(10))).toBe(committed);
    const voided = voidReservation(once, 'a');
    expect(voidReservation(voided, 'a')).toBe(voided);
    expect(usedMicroEpsilon(voided)).toBe(0n);
    expect(usedMicroEpsilon(once)).toBe(usedMicroEpsilon(committed));
  });

  it('changes no state that it was given', () => {
    const once = reserve(empty, 'a', cost(10));
    commit(once, 'a');
    expect(empty.reservations).toEqual([]);
    expect(once.reservations.map(({ state }) => state)).toEqual(['reserved']);
  });

  const kept = reserve(empty, 'a', cost(10));
  it.each<[string, string, () => unknown]>([
    ['a cost over the budget', 'BUDGET_EXHAUSTED', () => reserve(empty, 'b', cost(1_000_000))],
    ['an id with another cost', 'IDEMPOTENCY_KEY_REUSED', () => reserve(kept, 'a', cost(11))],
    ['reserving what was voided', 'ALREADY_DECIDED', () => reserve(voidReservation(kept, 'a'), 'a', cost(10))],
    ['committing what was voided', 'ALREADY_DECIDED', () => commit(voidReservation(kept, 'a'), 'a')],
    ['voiding what was committed', 'ALREADY_DECIDED', () => voidReservation(commit(kept, 'a'), 'a')],
    ['committing what nobody reserved', 'NOT_FOUND', () => commit(kept, 'b')],
    ['voiding what nobody reserved', 'NOT_FOUND', () => voidReservation(kept, 'b')],
    ['an empty id', 'INVALID_ARGUMENT', () => reserve(empty, '', cost(1))],
    ['a long id', 'INVALID_ARGUMENT', () => reserve(empty, 'x'.repeat(129), cost(1))],
    ['other orders', 'INVALID_ARGUMENT', () => reserve(empty, 'b', { orders: [2], rdp: [0] })],
    ['a negative cost', 'INVALID_ARGUMENT', () => reserve(empty, 'b', { orders, rdp: orders.map(() => -1) })],
    ['a missing cost', 'INVALID_ARGUMENT', () => reserve(empty, 'b', { orders, rdp: [] })],
    ['a negative budget', 'INVALID_ARGUMENT', () => asMicroEpsilon(-1n)],
    ['a huge budget', 'INVALID_ARGUMENT', () => asMicroEpsilon(10n ** 12n + 1n)],
    ['a budget without δ', 'INVALID_ARGUMENT', () => openBudget({ ...terms, delta: 0 })],
    ['a budget without orders', 'INVALID_ARGUMENT', () => openBudget({ ...terms, orders: [] })],
  ])('refuses %s: %s', (_, code, act) => {
    expect(act).toThrow(refusal(code));
  });

  it('is never exceeded, and what was committed stays committed, whatever messages come', () => {
    const message = fc.record({
      act: fc.constantFrom('reserve', 'commit', 'void'),
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      steps: fc.integer({ min: 1, max: 3000 }),
    });
    let exhausted = 0;
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), (messages) => {
        let budget = empty;
        const spent = new Set<string>();
        for (const { act, id, steps } of messages) {
          try {
            if (act === 'reserve') budget = reserve(budget, id, cost(steps));
            else budget = act === 'commit' ? commit(budget, id) : voidReservation(budget, id);
            if (act === 'commit') spent.add(id);
          } catch (error) {
            if (!(error instanceof UsufructError)) throw error;
            if (error.code === 'BUDGET_EXHAUSTED') exhausted += 1;
          }
          const active = budget.reservations.filter(({ state }) => state !== 'voided');
          const total = orders.map((_, i) => active.reduce((sum, entry) => sum + entry.cost.rdp[i]!, 0));
          if (active.length > 0) expect(epsilonOf({ orders, rdp: total }, 1e-5).epsilon).toBeLessThanOrEqual(3);
          for (const done of spent) expect(active.find((entry) => entry.id === done)?.state).toBe('committed');
        }
      }),
      { numRuns: 200 },
    );
    expect(exhausted).toBeGreaterThan(0);
  });
});
