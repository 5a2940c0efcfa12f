import type { Address, ContributionId, DaoId, ErrorCode } from '@usufruct/kernel';
import { isErrorCode, refuse } from '@usufruct/kernel';
import { zAmount, zHex32, zTimestampMs } from '@usufruct/protocol';
import { z } from 'zod';
import { operation, REFUSAL_FIELDS, resultOf, valueOrThrow } from './api/graphql.js';
import type { ClientContext } from './context.js';

/** What the operator's lease keeper says: its own books and samples, which the chain knows nothing of. */
const zBook = z.object({
  keeper: zHex32<Address>(),
  renews: z.boolean(),
  renewEpochs: z.int(),
  unitsPerMibEpoch: zAmount,
  fundedUnits: zAmount,
  spentUnits: zAmount,
  reservedUnits: zAmount,
  availableUnits: zAmount,
  costs: z.array(z.object({ owner: zHex32<Address>(), costUnits: zAmount })),
});
export type DaoStorage = z.output<typeof zBook>;
const DAO_STORAGE = operation<{ daoId: DaoId }>()(
  `query DaoStorage($daoId: Hex32!) { dao(daoId: $daoId) { storage {
    keeper renews renewEpochs unitsPerMibEpoch fundedUnits spentUnits reservedUnits availableUnits
    costs { owner costUnits } } } }`,
  z.object({ dao: z.object({ storage: zBook }).nullable() }),
);

const INVITE = operation<{ daoId: DaoId }>()(
  `mutation InviteLeaseKeeper($daoId: Hex32!) { result: inviteLeaseKeeper(daoId: $daoId) {
    __typename ... on LeaseKeeperInvited { keeper } ${REFUSAL_FIELDS} } }`,
  z.object({ result: resultOf(z.object({ keeper: zHex32<Address>() })) }),
);

const zErrorCode = z.string().transform((code): ErrorCode => (isErrorCode(code) ? code : 'INTERNAL'));
const zStorage = z.object({
  leaseEndEpoch: z.int(),
  epoch: z.int().nullable(),
  level: z.enum(['notice', 'urgent', 'expired']).nullable(),
  availability: z.enum(['unknown', 'readable', 'suspected', 'lost']),
  sampledAtMs: zTimestampMs.nullable(),
  renewing: z.boolean(),
  notRenewed: zErrorCode.nullable(),
  costUnits: zAmount,
});
export type ContributionStorage = z.output<typeof zStorage>;
const CONTRIBUTION_STORAGE = operation<{ contributionId: ContributionId }>()(
  `query ContributionStorage($contributionId: Hex32!) { contribution(contributionId: $contributionId) { storage {
    leaseEndEpoch epoch level availability sampledAtMs renewing notRenewed costUnits } } }`,
  z.object({ contribution: z.object({ storage: zStorage }).nullable() }),
);

/** Refuses `NOT_FOUND`. */
export async function daoStorage({ api }: ClientContext, daoId: DaoId): Promise<DaoStorage> {
  const { dao } = await api.request(DAO_STORAGE, { daoId });
  if (dao === null) throw refuse('NOT_FOUND', { daoId });
  return dao.storage;
}

/** By an administrator or a steward: the keeper applies for membership, and the DAO decides on it. Says its address. */
export async function inviteLeaseKeeper({ api }: ClientContext, daoId: DaoId): Promise<Address> {
  const { result } = await api.request(INVITE, { daoId });
  return valueOrThrow(result).keeper;
}

/** Refuses `NOT_FOUND`. */
export async function contributionStorage(
  { api }: ClientContext,
  contributionId: ContributionId,
): Promise<ContributionStorage> {
  const { contribution } = await api.request(CONTRIBUTION_STORAGE, { contributionId });
  if (contribution === null) throw refuse('NOT_FOUND', { contributionId });
  return contribution.storage;
}
