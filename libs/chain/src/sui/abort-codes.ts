import type { SuiClientTypes } from '@mysten/sui/client';
import { refuse, type UsufructError } from '@usufruct/kernel';
import { ABORTS } from './abort-table.js';

/** Malformed bytes end in `sui::bcs`, and with them what they were meant to be. */
const FRAMEWORK_BCS = 'bcs';

/** How an execution failed, as a refusal of the catalogue. What our contracts did not say is not guessed at. */
export function abortRefusal(error: SuiClientTypes.ExecutionError, cause?: unknown): UsufructError {
  if (error.$kind !== 'MoveAbort') return refuse('UPSTREAM_INVALID', { upstream: 'Sui', failure: error.$kind }, cause);
  const { abortCode, location } = error.MoveAbort;
  if (location?.module === FRAMEWORK_BCS) {
    return refuse('INVALID_ARGUMENT', { expected: 'the canonical bytes of what is sent' }, cause);
  }
  const row = ABORTS[Number(abortCode)];
  const module = location?.module;
  // A code is ours only where it comes from the module whose code it is: another package may abort with any number.
  if (row === undefined || (module !== undefined && !row[0].startsWith(`${module}::`))) {
    return refuse(
      'UPSTREAM_INVALID',
      { upstream: 'Sui', failure: `abort ${abortCode} in ${module ?? 'a module'}` },
      cause,
    );
  }
  const [rule, code, details = {}] = row;
  return refuse(code, { ...details, rule }, cause);
}
