import type { Address, DaoId, ProposalId } from '@usufruct/kernel';
import { metadataDigest, statementDigest, zHex32, type ApplicationView, type Metadata } from '@usufruct/protocol';
import { z } from 'zod';
import { connectionOf, everyNode, PAGE_INFO } from '../api/connections.js';
import { operation } from '../api/graphql.js';
import type { ClientContext } from '../context.js';
import type { ProposalStatus } from './proposals.js';

const PROPOSAL_WORDS = operation<{ daoId: DaoId; after: string | null }>()(
  `query ProposalWords($daoId: Hex32!, $after: String) { dao(daoId: $daoId) { list: proposals(after: $after, first: 100) {
    edges { node { proposalId title description } } ${PAGE_INFO} } } }`,
  z.object({
    dao: z
      .object({
        list: connectionOf(
          z.object({
            proposalId: zHex32<ProposalId>(),
            title: z.string().nullable(),
            description: z.string().nullable(),
          }),
        ),
      })
      .nullable(),
  }),
);
const STATEMENTS = operation<{ daoId: DaoId; after: string | null }>()(
  `query Statements($daoId: Hex32!, $after: String) { dao(daoId: $daoId) {
    list: applications(after: $after, first: 100, state: pending) {
      edges { node { applicant statement } } ${PAGE_INFO} } } }`,
  z.object({
    dao: z
      .object({
        list: connectionOf(z.object({ applicant: zHex32<Address>(), statement: z.string().nullable() })),
      })
      .nullable(),
  }),
);

/**
 * What proposers said of these proposals of one DAO, as far as the API was told. The API only serves the words: those
 * that do not have the digest on the chain are left out. They are the proposer's, and prove nothing about the effect.
 */
export async function proposalWords(
  context: ClientContext,
  daoId: DaoId,
  proposals: readonly ProposalStatus[],
): Promise<ReadonlyMap<ProposalId, Metadata>> {
  const found = new Map<ProposalId, Metadata>();
  if (proposals.length === 0) return found;
  const digests = new Map(proposals.map(({ proposal }) => [proposal.id, proposal.descriptionHash]));
  const nodes = await everyNode(
    async (after) => (await context.api.requestPublic(PROPOSAL_WORDS, { daoId, after })).dao?.list,
  );
  for (const { proposalId, title, description } of nodes) {
    if (title === null || description === null) continue;
    if (metadataDigest({ title, description }) === digests.get(proposalId))
      found.set(proposalId, { title, description });
  }
  return found;
}

/** What applicants said about themselves, for who may read it: members, and each applicant its own. Checked alike. */
export async function statementsOf(
  context: ClientContext,
  daoId: DaoId,
  applications: readonly ApplicationView[],
): Promise<ReadonlyMap<Address, string>> {
  const found = new Map<Address, string>();
  if (applications.length === 0) return found;
  const digests = new Map(applications.map(({ applicant, statementHash }) => [applicant, statementHash]));
  const nodes = await everyNode(async (after) => (await context.api.request(STATEMENTS, { daoId, after })).dao?.list);
  for (const { applicant, statement } of nodes) {
    if (statement !== null && statementDigest(statement) === digests.get(applicant)) found.set(applicant, statement);
  }
  return found;
}
