import { refuse, type Check } from '@usufruct/kernel';
import type { Terminal } from './terminal.js';

const MARKS = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' } as const;

export const checkLines = (checks: readonly Check[]): string[] =>
  checks.map(({ name, status, detail }) => `${MARKS[status]} ${name}${detail === '' ? '' : `: ${detail}`}`);

/** What a receipt was found to be; a bad one's checks are remarks. Refuses `RECEIPT_INVALID` with the failed checks' names. */
export function sayReceiptVerdict(
  terminal: Terminal,
  { ok, checks }: { readonly ok: boolean; readonly checks: readonly Check[] },
): void {
  if (ok) return terminal.result({ checks }, checkLines(checks));
  for (const line of checkLines(checks)) terminal.remark(line);
  const failed = checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
  throw refuse('RECEIPT_INVALID', { checks: failed.join(', ') });
}
