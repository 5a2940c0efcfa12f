import type { UsufructError } from '@usufruct/kernel';
import type { StateReader } from '../../../apps/local-chain/src/machine/collections.js';

/** The name of a refusal in the tables of the actors: the catalogue code and what tells its cases apart. */
export function refusalName({ code, details }: UsufructError, state: StateReader): string {
  if (code === 'NOT_FOUND' || code === 'ALREADY_EXISTS') return `${code} ${Object.keys(details)[0] ?? ''}`;
  if (code === 'TOMBSTONED') return `${code} ${retired(details, state)}`;
  if (code === 'JOB_STATE') return details['expected'] === undefined ? code : `${code} before its end`;
  if (code === 'PROPOSAL_STATE' || code === 'EPOCH_STATE') return `${code} ${details['state'] ?? ''}`;
  const about = details['check'] ?? details['field'] ?? details['role'];
  if (about === undefined) return code;
  const asSet = details['expected']?.endsWith('different values') === true ? ' as a set' : '';
  return `${code} ${about.replaceAll(/\d+/g, 'N')}${asSet}`;
}

/** What it was that is there no more: its id is all that the refusal says. */
function retired({ id, member }: UsufructError['details'], state: StateReader): string {
  if (member !== undefined) return 'holder';
  if (id === undefined) return 'signer';
  const collections = ['dataset', 'contribution', 'licence-offer'] as const;
  return collections.find((collection) => state.read(collection, id) !== undefined) ?? '';
}
