import type { Address, ContributionId } from '@usufruct/kernel';
import { indexedDbJournal } from './journal.js';

const PREFIX = 'portal/file-name/';

/** The name is part of what is encrypted; it is kept in clear on this device only, so that its owner knows it again. */
export const rememberFileName = (
  owner: Address,
  { contributionId, fileName }: { readonly contributionId: ContributionId; readonly fileName: string },
): Promise<void> => indexedDbJournal(owner).put(`${PREFIX}${contributionId}`, fileName);

/** Names of the files that this account contributed from this device, by contribution. */
export async function knownFileNames(owner: Address): Promise<ReadonlyMap<string, string>> {
  const journal = indexedDbJournal(owner);
  const names = new Map<string, string>();
  for (const key of await journal.keys(PREFIX)) {
    const name = await journal.get(key);
    if (name !== null) names.set(key.slice(PREFIX.length), name);
  }
  return names;
}
