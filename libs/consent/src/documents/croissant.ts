import { refuse, type TimestampMs } from '@usufruct/kernel';
import {
  metadataDigest,
  type ChainInfo,
  type ContributionView,
  type DaoView,
  type DatasetView,
  type Metadata,
} from '@usufruct/protocol';
import { askablePurposes, purposeIri } from '../vocabulary.js';
import type { Json, JsonObject } from './json.js';
import { isoTime, urn } from './names.js';
import { datasetOffer } from './odrl-offer.js';

/** Files that one document lists at most. */
const FILES_AT_MOST = 1_000;

export interface CroissantParams {
  readonly chain: Pick<ChainInfo, 'chainId' | 'coin' | 'standIn'>;
  readonly dataset: DatasetView;
  readonly dao: Pick<DaoView, 'id' | 'policy' | 'policyVersion' | 'policyDigest' | 'paused' | 'metadataHash'>;
  /** Of the dataset; the accepted ones that are not retired are listed. */
  readonly contributions: readonly ContributionView[];
  /** Left out where nobody has told the words; then the ids stand in their place. */
  readonly words?: { readonly dataset?: Metadata; readonly dao?: Metadata };
  /** When the chain says that it was opened. */
  readonly publishedAtMs: TimestampMs;
  /** Where the dataset is shown; its name on the chain where it is left out. */
  readonly url?: string;
  /** Where the store's blobs are read, without a trailing slash. */
  readonly aggregatorUrl: string;
  /** The blob id as the store's HTTP interface writes it, of the 32 bytes that the chain has. */
  readonly blobIdOf: (blob: ContributionView['manifestBlob']['blob']) => string;
}

/**
 * Croissant 1.1 metadata of a dataset (http://mlcommons.org/croissant/1.1), with the conditions of use as
 * `usageInfo`: the purposes as defined terms and the DAO's offer in ODRL. Its files are ciphertext; what is described
 * is what anybody may see. It has no RecordSet, because nobody outside the enclave knows the records.
 *
 * Refuses `TOMBSTONED` and what `datasetOffer` refuses, and `INVALID_ARGUMENT` for words whose digest is not the
 * chain's.
 */
export function croissant(params: CroissantParams): JsonObject {
  const { chain, dataset, dao, words, publishedAtMs } = params;
  requireTrue(words?.dataset, dataset.metadataHash, 'words.dataset');
  requireTrue(words?.dao, dao.metadataHash, 'words.dao');
  const offer = datasetOffer({ chain, dataset, dao });
  if (!offer.ok) throw offer.refusal;
  const id = urn(chain, 'dataset', dataset.id);
  const files = filesOf(params);
  return {
    '@context': CONTEXT,
    // Without an @id: the offer's target names the dataset, and MLCommons' validator does not take a node twice.
    '@type': 'sc:Dataset',
    conformsTo: 'http://mlcommons.org/croissant/1.1',
    name: words?.dataset?.title ?? dataset.id,
    description: words?.dataset?.description || UNDESCRIBED,
    url: params.url ?? id,
    identifier: id,
    version: `${dao.policyVersion}.${dataset.contributionCount}.0`,
    isLiveDataset: true,
    datePublished: isoTime(publishedAtMs),
    isAccessibleForFree: false,
    creator: {
      '@type': 'sc:Organization',
      '@id': urn(chain, 'dao', dao.id),
      name: words?.dao?.title ?? dao.id,
      ...(words?.dao?.description ? { description: words.dao.description } : {}),
    },
    license: {
      '@type': 'sc:CreativeWork',
      '@id': urn(chain, 'policy', dao.policyDigest),
      name: `Policy of the DAO, version ${dao.policyVersion}`,
      text: 'No copy is given to anybody. Use is paid, by attested computation, for the purposes in usageInfo.',
    },
    usageInfo: [
      ...askablePurposes(dao.policy.purposes).map(definedTerm),
      { ...inContext(offer.value), '@type': ['sc:CreativeWork', 'odrl:Offer'], name: 'Offer of the DAO' },
    ],
    distribution: files.length > FILES_AT_MOST ? files.slice(0, FILES_AT_MOST) : files,
    'usufruct:filesNotListed': Math.max(0, files.length - FILES_AT_MOST),
    'usufruct:standIn': chain.standIn,
  };
}

const UNDESCRIBED = 'Encrypted contributions; nobody has told what they are about.';

function requireTrue(words: Metadata | undefined, digest: string, field: string): void {
  if (words !== undefined && metadataDigest(words) !== digest) {
    throw refuse('INVALID_ARGUMENT', { field, expected: 'the words whose digest the chain has' });
  }
}

/** The chain does not say which blobs are quilts. */
const IN_QUILT = '; where the blob is larger than this, a file of a Walrus quilt that is named by its digest';

/** One file a blob. Without checksum of its own: the signed manifest, itself a blob, has those of the ciphertext. */
const filesOf = ({ chain, contributions, aggregatorUrl, blobIdOf }: CroissantParams): JsonObject[] =>
  contributions
    .filter(({ state, tombstonedAtMs }) => state === 'accepted' && tombstonedAtMs === null)
    .flatMap(({ id, manifestBlob, parts }) =>
      [manifestBlob, ...parts].map(({ blob, sizeBytes }, index) => {
        const name = index === 0 ? 'manifest' : `part-${index}`;
        return {
          '@type': 'cr:FileObject',
          '@id': `${urn(chain, 'contribution', id)}/${name}`,
          name: `${id}-${name}`,
          description: `${index === 0 ? 'Signed manifest of a contribution' : 'Ciphertext (OpenPGP, RFC 9580)'}${IN_QUILT}`,
          contentUrl: `${aggregatorUrl}/v1/blobs/${blobIdOf(blob)}`,
          contentSize: `${sizeBytes} B`,
          encodingFormat: index === 0 ? 'application/octet-stream' : 'application/pgp-encrypted',
        };
      }),
    );

const definedTerm = ({ code, label }: { readonly code: string; readonly label: string }): JsonObject => ({
  '@type': 'sc:DefinedTerm',
  name: label,
  termCode: code.replace(/^(DUO|dpv):/, (_all, vocabulary: string) => `${vocabulary}_`),
  url: purposeIri(code),
});

/** An offer's members under ODRL's prefix: inside this document its own context would not be read. */
function inContext(offer: JsonObject): JsonObject {
  const { '@context': _context, '@type': _type, ...members } = offer;
  return prefixed(members) as JsonObject;
}

const ODRL_VALUES: ReadonlySet<string> = new Set(['operator', 'action', 'leftOperand', 'conflict']);
function prefixed(value: Json, member = ''): Json {
  if (Array.isArray(value)) return value.map((item: Json) => prefixed(item, member));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value as JsonObject).map(([name, inner]): [string, Json] => {
      if (name === 'uid') return ['@id', inner];
      if (name === '@type') return [name, typeof inner === 'string' && !inner.includes(':') ? `odrl:${inner}` : inner];
      return [name.startsWith('@') || name.includes(':') ? name : `odrl:${name}`, prefixed(inner, name)];
    });
    return Object.fromEntries(entries);
  }
  if (typeof value !== 'string') return value;
  if (ODRL_VALUES.has(member)) return { '@id': value.includes(':') ? value : `odrl:${value}` };
  return ['target', 'assigner', 'profile', 'unit'].includes(member) ? { '@id': value } : value;
}

/**
 * The context that the specification recommends (Appendix 1), with the vocabularies of the conditions of use.
 * schema.org by https, as in its examples of these conditions and in MLCommons' validator, which takes no other.
 */
const CONTEXT: JsonObject = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  sc: 'https://schema.org/',
  cr: 'http://mlcommons.org/croissant/',
  rai: 'http://mlcommons.org/croissant/RAI/',
  dct: 'http://purl.org/dc/terms/',
  odrl: 'http://www.w3.org/ns/odrl/2/',
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
  usufruct: 'urn:usufruct:terms:',
  annotation: 'cr:annotation',
  arrayShape: 'cr:arrayShape',
  citeAs: 'cr:citeAs',
  column: 'cr:column',
  conformsTo: 'dct:conformsTo',
  containedIn: 'cr:containedIn',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  equivalentProperty: 'cr:equivalentProperty',
  examples: { '@id': 'cr:examples', '@type': '@json' },
  excludes: 'cr:excludes',
  extract: 'cr:extract',
  field: 'cr:field',
  fileProperty: 'cr:fileProperty',
  fileObject: 'cr:fileObject',
  fileSet: 'cr:fileSet',
  format: 'cr:format',
  includes: 'cr:includes',
  isArray: 'cr:isArray',
  isLiveDataset: 'cr:isLiveDataset',
  jsonPath: 'cr:jsonPath',
  key: 'cr:key',
  md5: 'cr:md5',
  parentField: 'cr:parentField',
  recordSet: 'cr:recordSet',
  references: 'cr:references',
  regex: 'cr:regex',
  readLines: 'cr:readLines',
  sdVersion: 'cr:sdVersion',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
  unArchive: 'cr:unArchive',
  value: 'cr:value',
};
