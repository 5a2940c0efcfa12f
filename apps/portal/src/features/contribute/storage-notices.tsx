import type { ContributionCard } from '../../data/catalogue.js';
import { storageAdvice, type Storage } from '../../data/storage.js';
import { Id } from '../../ui/id.js';
import { Notice } from '../../ui/layout.js';

interface StorageNoticesProps {
  readonly contributions: readonly ContributionCard[];
  readonly names: ReadonlyMap<string, string>;
}

/** What will be gone, or is, unless its owner does something; the worst first. */
export function StorageNotices({ contributions, names }: StorageNoticesProps) {
  const troubled = contributions
    .flatMap((contribution) => {
      const advice = isOver(contribution) ? null : storageAdvice(contribution.storage);
      return advice === null ? [] : [{ contribution, advice }];
    })
    .sort((a, b) => rank(b.contribution.storage) - rank(a.contribution.storage));
  if (troubled.length === 0) return null;
  return (
    <Notice tone={troubled.some(({ contribution }) => rank(contribution.storage) > 0) ? 'bad' : 'warn'}>
      <ul className="list" aria-label="Storage that needs you" data-testid="storage-notices">
        {troubled.map(({ contribution: { contributionId }, advice }) => (
          <li key={contributionId}>
            <strong>{names.get(contributionId) ?? <Id value={contributionId} what="contribution id" />}</strong>:{' '}
            {advice}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

const isOver = ({ state, tombstonedAtMs }: ContributionCard): boolean =>
  state === 'declined' || tombstonedAtMs !== null;

const rank = ({ level, availability }: Storage): number =>
  availability === 'lost' ? 3 : level === 'expired' ? 2 : level === 'urgent' ? 1 : 0;
