import type { UsufructError } from '@usufruct/kernel';

/** The name of a refusal in the tables of the actors: the catalogue code and what tells its cases apart. */
export function refusalName({ code, details }: UsufructError): string {
  if (code === 'NOT_FOUND' || code === 'ALREADY_EXISTS') return `${code} ${Object.keys(details)[0] ?? ''}`;
  if (code === 'JOB_STATE') return details['expected'] === undefined ? code : `${code} before its end`;
  if (code === 'PROPOSAL_STATE' || code === 'EPOCH_STATE') return `${code} ${details['state'] ?? ''}`;
  const about = details['check'] ?? details['field'] ?? details['role'];
  if (about === undefined) return code;
  const asSet = details['expected']?.endsWith('different values') === true ? ' as a set' : '';
  return `${code} ${about.replaceAll(/\d+/g, 'N')}${asSet}`;
}
