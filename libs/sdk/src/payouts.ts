import type { Address, ContributionId, DatasetId, Digest, JobId, QuestionId } from '@usufruct/kernel';
import { CONTRIBUTION_STATES, zAmount, zHex32, zTimestampMs } from '@usufruct/protocol';
import { z } from 'zod';
import { operation } from './api/graphql.js';
import type { ClientContext } from './context.js';

const zPage = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

const ENTRIES = operation<{ account: Address; after: string | null }>()(
  `query Entries($account: Hex32!, $after: String) { ledgerEntries(account: $account, after: $after, first: 100) {
    edges { node { account counterAccount direction amountUnits reason atMs jobId questionId contributionId transaction eventSeq } }
    pageInfo { hasNextPage endCursor } } }`,
  z.object({
    ledgerEntries: z.object({
      edges: z.array(
        z.object({
          node: z.object({
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
          }),
        }),
      ),
      pageInfo: zPage,
    }),
  }),
);
type EntriesPage = z.output<typeof ENTRIES.data>;
/** One side of a double entry, as the API derives it from the chain's events. */
export type LedgerEntry = EntriesPage['ledgerEntries']['edges'][number]['node'];

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

const CONTRIBUTIONS = operation<{ datasetId: DatasetId | null; owner: Address | null; after: string | null }>()(
  `query Contributions($datasetId: Hex32, $owner: Hex32, $after: String) {
    contributions(datasetId: $datasetId, owner: $owner, after: $after, first: 100) {
      edges { node { contributionId datasetId owner state registeredAtMs } } pageInfo { hasNextPage endCursor } } }`,
  z.object({
    contributions: z.object({
      edges: z.array(
        z.object({
          node: z.object({
            contributionId: zHex32<ContributionId>(),
            datasetId: zHex32<DatasetId>(),
            owner: zHex32<Address>(),
            state: z.enum(CONTRIBUTION_STATES),
            registeredAtMs: zTimestampMs,
          }),
        }),
      ),
      pageInfo: zPage,
    }),
  }),
);
type ContributionsPage = z.output<typeof CONTRIBUTIONS.data>;
export type ListedContribution = ContributionsPage['contributions']['edges'][number]['node'];

/** Every entry of an account, newest first: the signer's own, or the treasury of a DAO that the signer founded. */
export async function ledgerEntries(context: ClientContext, account: Address): Promise<LedgerEntry[]> {
  const found: LedgerEntry[] = [];
  for (let after: string | null = null; ;) {
    const { ledgerEntries: page }: EntriesPage = await context.api.request(ENTRIES, { account, after });
    found.push(...page.edges.map(({ node }) => node));
    after = page.pageInfo.endCursor;
    if (!page.pageInfo.hasNextPage || after === null) return found;
  }
}

/** Whether the API's projection and the chain agree to the last unit, for the signer's accounts. */
export async function reconcile(context: ClientContext): Promise<Reconciliation> {
  return (await context.api.request(RECONCILIATION, {})).reconciliation;
}

export async function listContributions(
  context: ClientContext,
  filter: { readonly datasetId?: DatasetId; readonly owner?: Address },
): Promise<ListedContribution[]> {
  const found: ListedContribution[] = [];
  const variables = { datasetId: filter.datasetId ?? null, owner: filter.owner ?? null };
  for (let after: string | null = null; ;) {
    const { contributions: page }: ContributionsPage = await context.api.request(CONTRIBUTIONS, {
      ...variables,
      after,
    });
    found.push(...page.edges.map(({ node }) => node));
    after = page.pageInfo.endCursor;
    if (!page.pageInfo.hasNextPage || after === null) return found;
  }
}
