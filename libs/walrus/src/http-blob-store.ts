import { refuse, type BlobId } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { aggregators } from './aggregators.js';
import type { BlobStatus, BlobStore, CallOptions, LeaseName, PutOptions, StoreAbilities } from './blob-store.js';
import { mostQuiltFiles } from './cost/index.js';
import { idCheck, type IdCheckOptions } from './id-check.js';
import { DEFAULT_EPOCHS, leaseTerms, MOST_EPOCHS, WALRUS_SHARDS, type LeaseTerms } from './lease-terms.js';
import { publishBlob, publishQuilt, type PublisherParams } from './publisher.js';
import { checkQuilt } from './quilt-check.js';
import { requireQuiltFiles } from './quilt-files.js';
import { baseUrl, type RequestParams } from './request.js';

/** What ends and renews leases: a publisher has no route for it, because on Walrus that is a transaction of the owner. */
export interface Leases {
  readonly paidBy: StoreAbilities['paidBy'];
  delete(lease: LeaseName, options?: CallOptions): Promise<void>;
  extend(lease: LeaseName, endEpoch: number, options?: CallOptions): Promise<{ readonly endEpoch: number }>;
  /** What the network says beyond what an aggregator does; `null`: it knows no such blob. */
  describe(blobId: BlobId, options?: CallOptions): Promise<Omit<BlobStatus, 'available'> | null>;
}

export interface HttpBlobStoreOptions {
  /** Left out by whoever only reads. */
  readonly publisherUrl?: string;
  /** One address or several, also as one text with commas between: what one of them cannot give is asked of the next. */
  readonly aggregatorUrl: string | readonly string[];
  readonly fetch?: typeof globalThis.fetch;
  /** For one try of one request. A publisher answers only when the blob is certified, which takes seconds. */
  readonly timeoutMs?: number;
  readonly tries?: number;
  readonly pauseMs?: number;
  readonly maxBlobBytes?: number;
  readonly defaultEpochs?: number;
  /** Without it no id is computed here. */
  readonly idCheck?: IdCheckOptions;
  /** All of them computed: the same as an `idCheck` of everything. */
  readonly blobIdOf?: (bytes: Uint8Array) => Promise<BlobId>;
  /** Over how many shards it codes: Walrus's 1,000 where nothing is said. */
  readonly shards?: number;
  /** How many files a quilt holds; as many as `shards` allow where nothing is said, and 0 where there are no quilts. */
  readonly maxQuiltFiles?: number;
  readonly leases?: Leases;
}

/** The blob port over a Walrus publisher and aggregators, or over anything that speaks their HTTP interface. */
export function httpBlobStore(options: HttpBlobStoreOptions): BlobStore {
  const { leases } = options;
  const params = requestParams(options);
  const idOptions = idCheckOf(options);
  const check = idCheck(idOptions);
  const abilities = abilitiesOf(options);
  const { maxBlobBytes } = abilities;
  const { shards = WALRUS_SHARDS } = options;
  const publisherUrl = options.publisherUrl === undefined ? null : baseUrl(options.publisherUrl, 'publisherUrl');
  const publisher = (): PublisherParams => {
    if (publisherUrl === null) throw unsupported('put');
    return { ...params, url: publisherUrl };
  };
  const urls = aggregatorUrls(options.aggregatorUrl);
  const readers = aggregators({ ...params, urls, maxBlobBytes, check });
  // Whoever reads a quilt back checks it better than by its id.
  const unchecked = aggregators({ ...params, urls, maxBlobBytes, check: idCheck(undefined) });
  const termsOf = (put: PutOptions = {}): LeaseTerms => leaseTerms(put, options.defaultEpochs ?? DEFAULT_EPOCHS);
  return {
    abilities,
    async put(bytes, put) {
      const terms = termsOf(put);
      if (bytes.length === 0) throw refuse('FILE_EMPTY');
      if (bytes.length > maxBlobBytes) throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(maxBlobBytes) });
      const stored = await publishBlob(publisher(), bytes, terms);
      await check(bytes, stored.blobId);
      return stored;
    },
    async putMany(files, put) {
      const terms = termsOf(put);
      if (!abilities.quilts) throw unsupported('quilts');
      requireQuiltFiles(files, abilities);
      const stored = await publishQuilt(publisher(), files, terms);
      if (idOptions !== undefined) {
        const read = (quiltId: BlobId, signal: AbortSignal | undefined): Promise<Uint8Array> =>
          unchecked.get(quiltId, { fresh: true, ...(signal !== undefined && { signal }) });
        const { blobIdOf } = idOptions;
        await checkQuilt({ blobIdOf, shards, read }, files, stored.blobId, terms.signal);
      }
      return stored;
    },
    get: async (blobId, get = {}) => readers.get(blobId, get),
    getPatch: async (patch, call = {}) => readers.getPatch(patch, call),
    async status(blobId, call = {}) {
      const [read, known] = await Promise.all([readers.status(blobId, call), leases?.describe(blobId, call) ?? null]);
      return known === null ? read : { ...known, available: read.available };
    },
    async delete(lease, call) {
      if (leases === undefined) throw unsupported('delete');
      return leases.delete(lease, call);
    },
    async extend(lease, endEpoch, call) {
      if (leases === undefined) throw unsupported('extend');
      return leases.extend(lease, endEpoch, call);
    },
  };
}

const unsupported = (ability: string): Error => refuse('STORE_UNSUPPORTED', { ability });

const requestParams = (options: HttpBlobStoreOptions): RequestParams => ({
  fetch: options.fetch ?? ((...call) => globalThis.fetch(...call)),
  timeoutMs: options.timeoutMs ?? 60_000,
  tries: options.tries ?? 4,
  pauseMs: options.pauseMs ?? 250,
});

function abilitiesOf(options: HttpBlobStoreOptions): StoreAbilities {
  const { leases, maxBlobBytes = LIMITS.partBytes, shards = WALRUS_SHARDS } = options;
  const { maxQuiltFiles = mostQuiltFiles(shards) } = options;
  return {
    deletable: leases !== undefined,
    extendable: leases !== undefined,
    quilts: maxQuiltFiles > 0 && options.publisherUrl !== undefined,
    ranges: true,
    ownable: true,
    leaseEpochs: { least: 1, most: MOST_EPOCHS },
    // A publisher pays for what it stores; only renewals may be somebody else's.
    paidBy: leases?.paidBy ?? 'operator',
    maxBlobBytes,
    maxQuiltFiles: options.publisherUrl === undefined ? 0 : maxQuiltFiles,
    shards,
  };
}

const idCheckOf = ({ idCheck, blobIdOf }: HttpBlobStoreOptions): IdCheckOptions | undefined =>
  blobIdOf === undefined
    ? idCheck
    : { blobIdOf, wholeUpToBytes: Number.MAX_SAFE_INTEGER, oneIn: 1, random: (count) => new Uint8Array(count) };

/** Refuses `INVALID_ARGUMENT` where one of them is no address, or there is none. */
export function aggregatorUrls(given: string | readonly string[]): string[] {
  const texts = typeof given === 'string' ? given.split(',') : given;
  if (texts.length === 0) throw refuse('INVALID_ARGUMENT', { field: 'aggregatorUrl', expected: 'at least one' });
  return [...new Set(texts.map((text) => baseUrl(text.trim(), 'aggregatorUrl')))];
}

/** For the configuration of a process: whether `httpBlobStore` takes it as `aggregatorUrl`. */
export function isAggregatorUrl(text: string): boolean {
  try {
    return aggregatorUrls(text).length > 0;
  } catch {
    return false;
  }
}
