import { keypairSigner } from '@usufruct/chain';
import { fromHex, refuse } from '@usufruct/kernel';
import { holderOperatorKey } from '@usufruct/sdk';
import { readFileSync } from 'node:fs';

/** The wallet that operates the key holder of this secret. */
export const operatorOf = (secret: Uint8Array) => keypairSigner(holderOperatorKey(secret));

/** A holder's secret from its file. Refuses `NOT_FOUND`, `INVALID_ARGUMENT`, without repeating anything of the file. */
export function secretOf(path: string): Uint8Array {
  let text = '';
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw refuse('NOT_FOUND', { object: 'secret file', path }, cause);
  }
  if (!/^[0-9a-f]{64}$/.test(text))
    throw refuse('INVALID_ARGUMENT', { field: 'secret-file', expected: '64 hex digits' });
  return fromHex(text, 'secret-file');
}
