import { parseAnswer, zContributionView, type ContributionView } from '@usufruct/protocol';
import { globalId } from '../../platform/graphql/index.js';
import { toMs, toMsOrNull } from '../../platform/prisma/index.js';
import type { Contribution } from '../../platform/prisma/generated/client.js';
import { toBlobReference } from '../store/index.js';
import type { ContributionType } from './contribute.types.js';

/** The row as the chain's view of it. */
export const toContributionView = (row: Contribution): ContributionView =>
  parseAnswer(zContributionView, { ...row, tombstonedAtMs: toMsOrNull(row.tombstonedAt) }, 'projection');

export function toContribution(row: Contribution): ContributionType {
  const { id, manifestBlob, parts, ...view } = toContributionView(row);
  return {
    __typename: 'Contribution',
    ...view,
    id: globalId('Contribution', id),
    contributionId: id,
    manifestBlob: toBlobReference(manifestBlob),
    parts: parts.map(toBlobReference),
    registeredAtMs: toMs(row.registeredAt),
    decidedAtMs: toMsOrNull(row.decidedAt),
  };
}
