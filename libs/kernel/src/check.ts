/**
 * The outcome of one named check. A failed check is data, not an exception; an absent check is `skipped` with its
 * reason, never `passed`.
 */
export interface Check {
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly detail: string;
}

export interface Verdict {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

export const passed = (name: string, detail = ''): Check => ({ name, status: 'passed', detail });
export const failed = (name: string, detail: string): Check => ({ name, status: 'failed', detail });
export const skipped = (name: string, reason: string): Check => ({ name, status: 'skipped', detail: reason });
export const checkThat = (name: string, holds: boolean, whenFailed: string, whenPassed = ''): Check =>
  holds ? passed(name, whenPassed) : failed(name, whenFailed);

/** A verdict is good only if there is a check, at least one passed, and none failed. */
export function verdictOf(checks: readonly Check[]): Verdict {
  const ok = checks.some((c) => c.status === 'passed') && checks.every((c) => c.status !== 'failed');
  return { ok, checks };
}
