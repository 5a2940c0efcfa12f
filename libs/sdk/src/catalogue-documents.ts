import { croissant, datasetOffer, grantOffer, type JsonObject } from '@usufruct/consent';
import {
  fromHex,
  refuse,
  toBase64Url,
  type DatasetId,
  type Digest,
  type GrantId,
  type TimestampMs,
} from '@usufruct/kernel';
import { metadataDigest, type Metadata } from '@usufruct/protocol';
import { z } from 'zod';
import { operation } from './api/graphql.js';
import type { ClientContext } from './context.js';
import { allEvents } from './governance/history.js';

const zTold = z.object({ title: z.string().nullable(), description: z.string().nullable() });
const DATASET_WORDS = operation<{ datasetId: DatasetId }>()(
  `query DatasetWords($datasetId: Hex32!) { dataset(datasetId: $datasetId) { title description dao { title description } } }`,
  z.object({ dataset: zTold.extend({ dao: zTold }).nullable() }),
);

export interface CroissantOptions {
  /** Where the store's blobs are read. */
  readonly aggregatorUrl: string;
  /** Where the dataset is shown. */
  readonly url?: string;
  /** False: the API is not asked for title and description. */
  readonly hasWords?: boolean;
}

/**
 * Croissant 1.1 metadata of a dataset, of what this client's own view of the chain says. The API only serves the words:
 * those that do not have the digest on the chain are left out.
 */
export async function datasetCroissant(
  context: ClientContext,
  datasetId: DatasetId,
  { aggregatorUrl, url, hasWords = true }: CroissantOptions,
): Promise<JsonObject> {
  const { chain } = context;
  const dataset = await chain.dataset(datasetId);
  const [info, dao, contributions, publishedAtMs, told] = await Promise.all([
    chain.info(),
    chain.dao(dataset.daoId),
    chain.contributionsOf(datasetId),
    openedAt(context, datasetId),
    hasWords ? context.api.requestPublic(DATASET_WORDS, { datasetId }) : { dataset: null },
  ]);
  const ofDataset = trueWords(told.dataset, dataset.metadataHash);
  const ofDao = trueWords(told.dataset?.dao ?? null, dao.metadataHash);
  return croissant({
    chain: info,
    dataset,
    dao,
    contributions,
    words: { ...(ofDataset && { dataset: ofDataset }), ...(ofDao && { dao: ofDao }) },
    publishedAtMs,
    aggregatorUrl: aggregatorUrl.replace(/\/+$/, ''),
    ...(url !== undefined && { url }),
    blobIdOf: (blob) => toBase64Url(fromHex(blob)),
  });
}

function trueWords(told: z.output<typeof zTold> | null, digest: Digest): Metadata | null {
  if (told === null || told.title === null || told.description === null) return null;
  const words = { title: told.title, description: told.description };
  return metadataDigest(words) === digest ? words : null;
}

/** The DAO's offer of a dataset in ODRL 2.2. */
export async function offerOfDataset({ chain }: ClientContext, datasetId: DatasetId): Promise<JsonObject> {
  const dataset = await chain.dataset(datasetId);
  const [info, dao] = await Promise.all([chain.info(), chain.dao(dataset.daoId)]);
  const offer = datasetOffer({ chain: info, dataset, dao });
  if (!offer.ok) throw offer.refusal;
  return offer.value;
}

/** What one grant allows, in ODRL 2.2. */
export async function offerOfGrant({ chain, clock }: ClientContext, grantId: GrantId): Promise<JsonObject> {
  const grant = await chain.grant(grantId);
  const [info, contribution] = await Promise.all([chain.info(), chain.contribution(grant.contributionId)]);
  const offer = grantOffer({ chain: info, grant, contribution, nowMs: clock.nowMs() });
  if (!offer.ok) throw offer.refusal;
  return offer.value;
}

async function openedAt(context: ClientContext, datasetId: DatasetId): Promise<TimestampMs> {
  for await (const { data, atMs } of allEvents(context)) {
    if (data.type === 'DatasetCreated' && data.dataset.id === datasetId) return atMs;
  }
  throw refuse('NOT_FOUND', { object: 'event of the dataset', datasetId });
}
