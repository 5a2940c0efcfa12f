import { refuse, type ContributionId, type DaoId, type HolderSetId, type DatasetId } from '@usufruct/kernel';
import {
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  deriveId,
  metadataDigest,
  NO_ANSWER_RULES,
  requireAnswerRules,
  requireMetadata,
  type AnswerRules,
  type ContributionView,
  type DaoPolicy,
  type DaoView,
  type DatasetView,
  type Governance,
  type HolderSetView,
  type Metadata,
  type PayoutRules,
} from '@usufruct/protocol';
import { z } from 'zod';
import { operation, REFUSAL_FIELDS, resultOf } from './api/graphql.js';
import type { ClientContext } from './context.js';
import { actOnce } from './act.js';
import { createOnce } from './create.js';
import { describe } from './describe.js';
import { membersAt } from './governance/holder-sets.js';
import { requireRole } from './governance/members.js';

const zDescribed = resultOf(z.object({ title: z.string().nullable() }));
const DESCRIBE_DAO = operation<{ input: Metadata & { daoId: DaoId } }>()(
  `mutation DescribeDao($input: DescribeDaoInput!) { result: describeDao(input: $input) {
    __typename ... on Dao { title } ${REFUSAL_FIELDS} } }`,
  z.object({ result: zDescribed }),
);
const DESCRIBE_DATASET = operation<{ input: Metadata & { datasetId: DatasetId } }>()(
  `mutation DescribeDataset($input: DescribeDatasetInput!) { result: describeDataset(input: $input) {
    __typename ... on Dataset { title } ${REFUSAL_FIELDS} } }`,
  z.object({ result: zDescribed }),
);

export interface CreateHolderSetParams {
  readonly key: string;
  readonly threshold: number;
}

/** Register the client's key holders as a set of which `threshold` are needed, with the keys that each shows. */
export async function createHolderSet(
  context: ClientContext,
  { key, threshold }: CreateHolderSetParams,
): Promise<HolderSetView> {
  if (threshold < 1 || threshold > context.holders.length) {
    throw refuse('INVALID_ARGUMENT', {
      field: 'threshold',
      expected: `an integer from 1 to ${context.holders.length}`,
    });
  }
  const members = await membersAt(
    context,
    context.holders.map(({ url }) => url),
  );
  return createOnce({
    context,
    key: `holder-set/${key}`,
    read: (salt) => context.chain.holderSet(deriveId<HolderSetId>('holder-set', null, context.signer.address, salt)),
    action: (salt) => ({ kind: 'createHolderSet', salt, members, threshold }),
  });
}

export interface CreateDaoParams extends Metadata {
  readonly key: string;
  readonly policy: DaoPolicy;
  /** How it decides; `DEFAULT_GOVERNANCE` unless given. */
  readonly governance?: Governance;
  /** How contributors are paid; `DEFAULT_PAYOUT_RULES` unless given. */
  readonly payoutRules?: PayoutRules;
}

/** Found a DAO on the chain, and tell the API the words that its metadata hash stands for. */
export async function createDao(context: ClientContext, params: CreateDaoParams): Promise<DaoView> {
  const { key, policy, title, description } = params;
  requireMetadata(params);
  const dao = await createOnce({
    context,
    key: `dao/${key}`,
    read: (salt) => context.chain.dao(deriveId<DaoId>('dao', null, context.signer.address, salt)),
    action: (salt) => ({
      kind: 'createDao',
      salt,
      policy,
      metadataHash: metadataDigest({ title, description }),
      governance: params.governance ?? DEFAULT_GOVERNANCE,
      payoutRules: params.payoutRules ?? DEFAULT_PAYOUT_RULES,
    }),
  });
  await describe(context, DESCRIBE_DAO, { daoId: dao.id, title, description });
  return dao;
}

export interface CreateDatasetParams extends Metadata {
  readonly key: string;
  readonly daoId: DaoId;
  /** What answers may show of it; `NO_ANSWER_RULES` unless given. */
  readonly answerRules?: AnswerRules;
}

export async function createDataset(context: ClientContext, params: CreateDatasetParams): Promise<DatasetView> {
  const { key, daoId, title, description, answerRules = NO_ANSWER_RULES } = params;
  requireMetadata(params);
  requireAnswerRules(answerRules);
  const dataset = await createOnce({
    context,
    key: `dataset/${key}`,
    read: (salt) => context.chain.dataset(deriveId<DatasetId>('dataset', daoId, context.signer.address, salt)),
    action: (salt) => ({
      kind: 'createDataset',
      salt,
      daoId,
      metadataHash: metadataDigest({ title, description }),
      answerRules,
    }),
  });
  await describe(context, DESCRIBE_DATASET, { datasetId: dataset.id, title, description });
  return dataset;
}

/**
 * By a steward: accept or decline a proposed contribution. Deciding the same again is no error, so the signer is
 * looked at first: a repetition sends nothing that the chain could refuse. Refuses `FORBIDDEN`, `ALREADY_DECIDED`.
 */
export async function decideContribution(
  context: ClientContext,
  contributionId: ContributionId,
  accept: boolean,
): Promise<ContributionView> {
  const { chain } = context;
  const decided = accept ? 'accepted' : 'declined';
  const { datasetId } = await chain.contribution(contributionId);
  const { daoId } = await chain.dataset(datasetId);
  await requireRole(context, daoId, 'steward');
  return actOnce({
    context,
    key: `decide/${contributionId}/${decided}`,
    action: { kind: 'decideContribution', contributionId, accept },
    read: () => chain.contribution(contributionId),
    isDone: ({ state }) => state === decided,
  });
}

/** By a steward, from the next answer on. Setting what is so sends nothing. Refuses `FORBIDDEN`, `TOMBSTONED`. */
export async function setAnswerRules(
  context: ClientContext,
  datasetId: DatasetId,
  answerRules: AnswerRules,
): Promise<DatasetView> {
  requireAnswerRules(answerRules);
  const { chain } = context;
  const { daoId } = await chain.dataset(datasetId);
  await requireRole(context, daoId, 'steward');
  const { maxQuoteChars, minContributors, maxReachBps } = answerRules;
  return actOnce({
    context,
    key: `answer-rules/${datasetId}/${maxQuoteChars}/${minContributors}/${maxReachBps}`,
    action: { kind: 'setAnswerRules', datasetId, answerRules },
    read: () => chain.dataset(datasetId),
    isDone: ({ answerRules: now }) =>
      now.maxQuoteChars === maxQuoteChars && now.minContributors === minContributors && now.maxReachBps === maxReachBps,
  });
}
