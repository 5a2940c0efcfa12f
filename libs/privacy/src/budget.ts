import { assertInvariant, refuse, type Brand } from '@usufruct/kernel';
import { composeRdp, requireCurve, requireOrders, sameNumbers, type RdpCurve } from './curve.js';
import { epsilonOf } from './epsilon.js';
import { requireDelta, requireThat } from './input.js';

/** Millionths of ε. */
export type MicroEpsilon = Brand<bigint, 'MicroEpsilon'>;
const MAX_MICRO_EPSILON = 1_000_000_000_000n;

/** Refuses `INVALID_ARGUMENT` unless it is a bigint from 0 to 10¹² (an ε of a million). */
export function asMicroEpsilon(value: bigint, field = 'microEpsilon'): MicroEpsilon {
  const valid = typeof value === 'bigint' && value >= 0n && value <= MAX_MICRO_EPSILON;
  requireThat(valid, field, 'an integer from 0 to 10^12 millionths');
  return value as MicroEpsilon;
}

export type ReservationState = 'reserved' | 'committed' | 'voided';
export interface Reservation {
  /** Made by the client and stored by it before it is used. */
  readonly id: string;
  readonly cost: RdpCurve;
  readonly state: ReservationState;
}
/** A value, never changed: each function returns the next one. `reservations` are in the order in which they came. */
export interface PrivacyBudget {
  readonly budgetMicroEpsilon: MicroEpsilon;
  readonly delta: number;
  readonly orders: readonly number[];
  readonly reservations: readonly Reservation[];
}

/**
 * An unspent budget for one data subject (or data set) at one δ. Costs are kept as RDP at these orders, because ε itself
 * does not add up tightly. Refuses `INVALID_ARGUMENT`.
 */
export function openBudget(terms: Omit<PrivacyBudget, 'reservations'>): PrivacyBudget {
  const { delta, orders } = terms;
  requireDelta(delta);
  requireOrders(orders);
  return { budgetMicroEpsilon: asMicroEpsilon(terms.budgetMicroEpsilon), delta, orders: [...orders], reservations: [] };
}

/**
 * What is reserved and committed together, in millionths of ε, rounded up; nothing costs nothing. It is the ε of the
 * composition, so one more reservation adds less than its own ε.
 */
export function usedMicroEpsilon({ reservations, orders, delta }: PrivacyBudget): bigint {
  const active = reservations.filter(({ state }) => state !== 'voided');
  if (active.length === 0) return 0n;
  const { epsilon } = epsilonOf(
    composeRdp(
      orders,
      active.map(({ cost }) => cost),
    ),
    delta,
  );
  return BigInt(Math.ceil(epsilon * 1e6));
}

/**
 * Set a cost aside before anything is computed. The same id with the same cost changes nothing.
 *
 * Refuses `BUDGET_EXHAUSTED` (everything reserved and committed would exceed the budget), `IDEMPOTENCY_KEY_REUSED` (this
 * id, another cost), `ALREADY_DECIDED` (voided before: a late message must not reserve again) and `INVALID_ARGUMENT`.
 * Does not prove that the cost is that of what runs: the caller measures that.
 */
export function reserve(budget: PrivacyBudget, id: string, cost: RdpCurve): PrivacyBudget {
  requireThat(typeof id === 'string' && id.length > 0 && id.length <= 128, 'id', 'from 1 to 128 characters');
  requireCurve(cost);
  requireThat(sameNumbers(cost.orders, budget.orders), 'orders', 'the orders of the budget');
  const known = find(budget, id);
  if (known !== undefined) {
    if (!sameNumbers(known.cost.rdp, cost.rdp)) throw refuse('IDEMPOTENCY_KEY_REUSED', { id });
    if (known.state === 'voided') throw refuse('ALREADY_DECIDED', { id });
    return budget;
  }
  const kept: Reservation = { id, cost: { orders: budget.orders, rdp: [...cost.rdp] }, state: 'reserved' };
  const next = { ...budget, reservations: [...budget.reservations, kept] };
  if (usedMicroEpsilon(next) > budget.budgetMicroEpsilon) throw refuse('BUDGET_EXHAUSTED', { id });
  return next;
}

/**
 * Spend what was reserved, for good: before the first bit leaves that depends on the data. Doing it again changes
 * nothing. Refuses `NOT_FOUND` and `ALREADY_DECIDED` (voided).
 */
export const commit = (budget: PrivacyBudget, id: string): PrivacyBudget => decide(budget, id, 'committed');

/**
 * Give back what was reserved: only when nothing that depends on the data has left, and none ever will under this id.
 * Doing it again changes nothing. Refuses `NOT_FOUND` and `ALREADY_DECIDED` (committed).
 */
export const voidReservation = (budget: PrivacyBudget, id: string): PrivacyBudget => decide(budget, id, 'voided');

function decide(budget: PrivacyBudget, id: string, state: 'committed' | 'voided'): PrivacyBudget {
  const known = find(budget, id);
  if (known === undefined) throw refuse('NOT_FOUND', { reservation: id });
  if (known.state === state) return budget;
  if (known.state !== 'reserved') throw refuse('ALREADY_DECIDED', { id });
  const reservations = budget.reservations.map((entry) => (entry.id === id ? { ...entry, state } : entry));
  const next = { ...budget, reservations };
  assertInvariant(usedMicroEpsilon(next) <= budget.budgetMicroEpsilon, 'no budget is exceeded');
  return next;
}

const find = ({ reservations }: PrivacyBudget, id: string): Reservation | undefined =>
  reservations.find((entry) => entry.id === id);
