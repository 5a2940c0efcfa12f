import { asAmount, asId, type TimestampMs } from '@usufruct/kernel';
import { COMPUTATION_KINDS, PROTECTION_KINDS, type GrantView } from '@usufruct/protocol';
import { globalId } from '../../platform/graphql/index.js';
import { toBigint, toMs, toMsOrNull } from '../../platform/prisma/index.js';
import type { Grant } from '../../platform/prisma/generated/client.js';
import type { GrantType } from './consent.types.js';

/** The row as the chain's view of it. */
export const toGrantView = (row: Grant): GrantView => ({
  id: asId(row.id, 'grantId'),
  contributionId: asId(row.contributionId, 'contributionId'),
  grantor: asId(row.grantor, 'grantor'),
  terms: {
    purposes: row.purposes,
    kinds: COMPUTATION_KINDS.filter((kind) => row.kinds.includes(kind)),
    protections: PROTECTION_KINDS.filter((protection) => row.protections.includes(protection)),
    priceFloorUnits: asAmount(toBigint(row.priceFloorUnits)),
    budgetMicroEpsilon: toBigint(row.budgetMicroEpsilon),
    expiresAtMs: toMs(row.expiresAt),
  },
  givenAtMs: toMs(row.givenAt),
  revokedAtMs: toMsOrNull(row.revokedAt),
});

export function toGrant(row: Grant, nowMs: TimestampMs): GrantType {
  const { id, terms, ...view } = toGrantView(row);
  return {
    __typename: 'Grant',
    ...view,
    ...terms,
    id: globalId('Grant', id),
    grantId: id,
    active: view.revokedAtMs === null && nowMs < terms.expiresAtMs,
  };
}
