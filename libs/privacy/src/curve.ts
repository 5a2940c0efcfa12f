import { requireThat } from './input.js';

/** Rényi differential privacy at several orders: `rdp[i]` (in nats, zero or more) bounds the divergence at `orders[i]`. */
export interface RdpCurve {
  readonly orders: readonly number[];
  readonly rdp: readonly number[];
}

/** Orders that serve ε from about 0.1 to 20: 1.1 to 10.9 by tenths, then the integers 12 to 63. */
export const DEFAULT_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => (11 + i) / 10),
  ...Array.from({ length: 52 }, (_, i) => 12 + i),
];
const MAX_ORDER = 1024;
const MAX_ORDERS = 1024;

/** Refuses `INVALID_ARGUMENT` unless there are 1 to 1,024 orders, ascending, each from 1.01 to 1,024. */
export function requireOrders(orders: readonly number[]): void {
  requireThat(orders.length > 0 && orders.length <= MAX_ORDERS, 'orders', 'from 1 to 1024 orders');
  const inRange = orders.every((order) => order >= 1.01 && order <= MAX_ORDER);
  requireThat(inRange, 'orders', 'orders from 1.01 to 1024');
  requireThat(
    orders.every((order, i) => i === 0 || order > orders[i - 1]!),
    'orders',
    'ascending orders',
  );
}

/** Refuses `INVALID_ARGUMENT` unless the curve has one finite value, zero or more, for each of its valid orders. */
export function requireCurve({ orders, rdp }: RdpCurve): void {
  requireOrders(orders);
  const valid = rdp.length === orders.length && rdp.every((value) => value >= 0 && value < Infinity);
  requireThat(valid, 'rdp', 'one finite value, zero or more, for each order');
}

export const sameNumbers = (left: readonly number[], right: readonly number[]): boolean =>
  left.length === right.length && left.every((value, i) => value === right[i]);

/**
 * What several mechanisms on the same data cost together: RDP adds order by order (Mironov 2017, Proposition 1), also
 * when a mechanism was chosen after seeing what earlier ones released. Without curves the cost is zero.
 *
 * Refuses `INVALID_ARGUMENT`: a curve with other orders or values that are not finite and zero or more.
 */
export function composeRdp(orders: readonly number[], curves: readonly RdpCurve[]): RdpCurve {
  requireOrders(orders);
  const total = orders.map(() => 0);
  for (const curve of curves) {
    requireCurve(curve);
    requireThat(sameNumbers(curve.orders, orders), 'orders', 'the same orders in every curve');
    curve.rdp.forEach((value, i) => (total[i]! += value));
  }
  return { orders, rdp: total };
}
