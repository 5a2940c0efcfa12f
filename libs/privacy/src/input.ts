import { refuse } from '@usufruct/kernel';

/** Throws `INVALID_ARGUMENT` naming the field and what it must be; NaN satisfies no comparison and is refused too. */
export function requireThat(holds: boolean, field: string, expected: string): void {
  if (!holds) throw refuse('INVALID_ARGUMENT', { field, expected });
}

export const requireDelta = (delta: number): void =>
  requireThat(delta > 0 && delta < 1, 'delta', 'above 0 and below 1');
