import type { ClientWithCoreApi } from '@mysten/sui/client';
import { WalrusClient } from '@mysten/walrus';
import { refuse, systemRandom, type RandomSource } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { aggregators } from '../aggregators.js';
import type { BlobStore } from '../blob-store.js';
import { aggregatorUrls } from '../http-blob-store.js';
import { idCheck, type IdCheckOptions } from '../id-check.js';
import { QUILT_FILES } from '../lease-terms.js';
import { uploadBlobStore } from '../upload/upload-blob-store.js';
import type { LeaseChain, Transport, UploadJournal } from '../upload/ports.js';
import { relayTransport } from '../upload/relay.js';
import { nodesTransport } from './nodes.js';
import { walrusQuilt } from './quilt.js';
import { suiLeaseChain } from './sui-leases.js';
import type { SuiSigner } from './transactions.js';

export interface WalrusStoreOptions {
  readonly network: 'testnet' | 'mainnet';
  readonly client: ClientWithCoreApi;
  readonly signer: SuiSigner;
  readonly journal: UploadJournal;
  readonly aggregatorUrl: string | readonly string[];
  /** Who brings the slivers to the storage nodes: a relay that may ask for a tip up to this, or this process itself. */
  readonly upload:
    { readonly kind: 'relay'; readonly url: string; readonly maxTipMist: bigint } | { readonly kind: 'nodes' };
  readonly idCheck?: IdCheckOptions;
  readonly defaultEpochs?: number;
  readonly fetch?: typeof globalThis.fetch;
  readonly random?: RandomSource;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;
const TRIES = 4;
const PAUSE_MS = 250;

/**
 * Walrus with a wallet of one's own: no publisher, every step of an upload resumable, leases that this wallet pays,
 * extends and ends. Refuses `CONFIG_INVALID` for a wallet that cannot sign transactions of Sui.
 */
export function openWalrusStore(options: WalrusStoreOptions): BlobStore {
  const { network, client, signer, journal, random = systemRandom } = options;
  if (signer.signTransaction === undefined)
    throw refuse('CONFIG_INVALID', { setting: 'wallet', reason: 'it cannot sign transactions of Sui' });
  const walrus = new WalrusClient({ network, suiClient: client });
  const chain = suiLeaseChain({ client, walrus, signer });
  const params = {
    fetch: options.fetch ?? ((...call: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...call)),
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    tries: TRIES,
    pauseMs: PAUSE_MS,
  };
  const readers = aggregators({
    ...params,
    urls: aggregatorUrls(options.aggregatorUrl),
    maxBlobBytes: LIMITS.partBytes,
    check: idCheck(options.idCheck),
  });
  return uploadBlobStore({
    chain,
    journal,
    readers,
    random,
    transport: transportOf(options, { ...params, walrus, chain }),
    encodeQuilt: async (files) => walrusQuilt(files, await chain.shards()),
    maxQuiltFiles: QUILT_FILES,
    ...(options.defaultEpochs !== undefined && { defaultEpochs: options.defaultEpochs }),
  });
}

type RequestParams = Pick<Parameters<typeof relayTransport>[0], 'fetch' | 'timeoutMs' | 'tries' | 'pauseMs'>;
const transportOf = (
  { upload }: WalrusStoreOptions,
  { walrus, chain, ...params }: RequestParams & { walrus: WalrusClient; chain: LeaseChain },
): Transport =>
  upload.kind === 'nodes'
    ? nodesTransport(walrus)
    : relayTransport({ ...params, url: upload.url, maxTipMist: upload.maxTipMist, shards: () => chain.shards() });
