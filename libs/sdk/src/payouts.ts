import type { Address, ContributionId, DatasetId, Digest, JobId, QuestionId } from '@usufruct/kernel';
import { CONTRIBUTION_STATES, zAmount, zHex32, zTimestampMs } from '@usufruct/protocol';
import { z } from 'zod';
import { connectionOf, everyNode, PAGE_INFO } from './api/connections.js';
import { operation } from './api/graphql.js';
import type { ClientContext } from './context.js';

const zEntry = z.object({
  account: z.string(),
  counterAccount: z.string(),
  direction: z.enum(['credit', 'debit']),
  amountUnits: zAmount,
  reason: z.string(),
  atMs: zTimestampMs,
  jobId: zHex32<JobId>().nullable(),
  questionId: zHex32<QuestionId>().nullable(),
  contributionId: zHex32<ContributionId>().nullable(),
  transaction: zHex32<Digest>(),
  eventSeq: z.int(),
});
/** One side of a double entry, as the API derives it from the chain's events. */
export type LedgerEntry = z.output<typeof zEntry>;

const ENTRIES = operation<{ account: Address; after: string | null }>()(
  `query Entries($account: Hex32!, $after: String) { ledgerEntries(account: $account, after: $after, first: 100) {
    edges { node { account counterAccount direction amountUnits reason atMs jobId questionId contributionId transaction eventSeq } }
    ${PAGE_INFO} } }`,
  z.object({ ledgerEntries: connectionOf(zEntry) }),
);

const RECONCILIATION = operation<Record<string, never>>()(
  `query Reconciliation { reconciliation { agrees accountsChecked asOfSeq
    mismatches { account chainUnits projectedUnits } } }`,
  z.object({
    reconciliation: z.object({
      agrees: z.boolean(),
      accountsChecked: z.int(),
      asOfSeq: z.int(),
      mismatches: z.array(z.object({ account: z.string(), chainUnits: zAmount, projectedUnits: zAmount })),
    }),
  }),
);
export type Reconciliation = z.output<typeof RECONCILIATION.data>['reconciliation'];

const zListed = z.object({
  contributionId: zHex32<ContributionId>(),
  datasetId: zHex32<DatasetId>(),
  owner: zHex32<Address>(),
  state: z.enum(CONTRIBUTION_STATES),
  registeredAtMs: zTimestampMs,
});
export type ListedContribution = z.output<typeof zListed>;

const CONTRIBUTIONS = operation<{ datasetId: DatasetId | null; owner: Address | null; after: string | null }>()(
  `query Contributions($datasetId: Hex32, $owner: Hex32, $after: String) {
    contributions(datasetId: $datasetId, owner: $owner, after: $after, first: 100) {
      edges { node { contributionId datasetId owner state registeredAtMs } } ${PAGE_INFO} } }`,
  z.object({ contributions: connectionOf(zListed) }),
);

/** Every entry of an account, newest first: the signer's own, or the treasury of a DAO that the signer founded. */
export const ledgerEntries = ({ api }: ClientContext, account: Address): Promise<LedgerEntry[]> =>
  everyNode(async (after) => (await api.request(ENTRIES, { account, after })).ledgerEntries);

/** Whether the API's projection and the chain agree to the last unit, for the signer's accounts. */
export async function reconcile(context: ClientContext): Promise<Reconciliation> {
  return (await context.api.request(RECONCILIATION, {})).reconciliation;
}

export const listContributions = (
  { api }: ClientContext,
  { datasetId = null, owner = null }: { readonly datasetId?: DatasetId | null; readonly owner?: Address | null },
): Promise<ListedContribution[]> =>
  everyNode(async (after) => (await api.request(CONTRIBUTIONS, { datasetId, owner, after })).contributions);
