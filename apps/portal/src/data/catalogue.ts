import type { Address, ContributionId, DaoId, DatasetId, Digest } from '@usufruct/kernel';
import { operation } from '@usufruct/sdk';
import {
  COMPUTATION_KINDS,
  CONTRIBUTION_STATES,
  PROTECTION_KINDS,
  zAmount,
  zAnswerRules,
  zHex32,
  zTimestampMs,
} from '@usufruct/protocol';
import { z } from 'zod';
import { pageOf, PAGE_INFO } from './page.js';
import { STORAGE_FIELDS, zStorage } from './storage.js';

/** What the API's projection of the chain lists. For showing and choosing: what is signed is read from the chain. */
const zKinds = z.array(z.enum(COMPUTATION_KINDS));
const zProtections = z.array(z.enum(PROTECTION_KINDS));

const zDao = z.object({
  daoId: zHex32<DaoId>(),
  title: z.string().nullable(),
  description: z.string().nullable(),
  founder: zHex32<Address>(),
  treasury: zHex32<Address>(),
  policyVersion: z.int(),
  policy: z.object({
    pricePerQuestionUnits: zAmount,
    purposes: z.array(z.string()),
    kinds: zKinds,
    protections: zProtections,
    split: z.object({
      contributorsBps: z.int(),
      treasuryBps: z.int(),
      runnerBps: z.int(),
      protocolBps: z.int(),
    }),
    appraisal: z.object({ profiles: z.array(z.string()), measurements: z.array(z.string()) }),
    holderSet: z.object({ threshold: z.int(), members: z.array(z.object({ index: z.int() })) }),
    maxJobTermMs: z.int(),
  }),
});
export type DaoCard = z.output<typeof zDao>;
const DAO_FIELDS = `daoId title description founder treasury policyVersion policy {
  pricePerQuestionUnits purposes kinds protections maxJobTermMs
  split { contributorsBps treasuryBps runnerBps protocolBps }
  appraisal { profiles measurements } holderSet { threshold members { index } } }`;

const zDataset = z.object({
  datasetId: zHex32<DatasetId>(),
  title: z.string().nullable(),
  description: z.string().nullable(),
  contributionCount: z.int(),
  answerRules: zAnswerRules,
  dao: zDao,
});
export type DatasetCard = z.output<typeof zDataset>;
const DATASET_FIELDS = `datasetId title description contributionCount
  answerRules { maxQuoteChars minContributors maxReachBps } dao { ${DAO_FIELDS} }`;

const zContribution = z.object({
  contributionId: zHex32<ContributionId>(),
  datasetId: zHex32<DatasetId>(),
  owner: zHex32<Address>(),
  state: z.enum(CONTRIBUTION_STATES),
  manifestDigest: zHex32<Digest>(),
  registeredAtMs: zTimestampMs,
  tombstonedAtMs: zTimestampMs.nullable(),
  parts: z.array(z.object({ sizeBytes: z.int() })),
  storage: zStorage,
});
export type ContributionCard = z.output<typeof zContribution>;
const CONTRIBUTION_FIELDS = `contributionId datasetId owner state manifestDigest registeredAtMs tombstonedAtMs
  parts { sizeBytes } storage { ${STORAGE_FIELDS} }`;

export const DAOS = operation<{ after: string | null }>()(
  `query Daos($after: String) { daos(first: 50, after: $after) { ${PAGE_INFO} edges { node { ${DAO_FIELDS} } } } }`,
  z.object({ daos: pageOf(zDao) }),
);
export const DATASETS = operation<{ after: string | null }>()(
  `query Datasets($after: String) {
    datasets(first: 50, after: $after) { ${PAGE_INFO} edges { node { ${DATASET_FIELDS} } } } }`,
  z.object({ datasets: pageOf(zDataset) }),
);
export const CONTRIBUTIONS = operation<{
  after: string | null;
  datasetId: DatasetId | null;
  owner: Address | null;
  state: (typeof CONTRIBUTION_STATES)[number] | null;
}>()(
  `query Contributions($after: String, $datasetId: Hex32, $owner: Hex32, $state: ContributionState) {
    contributions(first: 50, after: $after, datasetId: $datasetId, owner: $owner, state: $state) {
      ${PAGE_INFO} edges { node { ${CONTRIBUTION_FIELDS} } } } }`,
  z.object({ contributions: pageOf(zContribution) }),
);

export const titleOf = (described: { readonly title: string | null }, otherwise: string): string =>
  described.title ?? otherwise;
