import { LOCAL_NETWORK, openSuiClient, type WalletSigner } from '@usufruct/chain';
import { refuse, systemClock, systemRandom } from '@usufruct/kernel';
import type { Journal, StorageTerms } from '@usufruct/sdk';
import {
  httpBlobStore,
  lazyBlobStore,
  localLeases,
  uploadAbilities,
  type BlobStore,
  type IdCheckOptions,
} from '@usufruct/walrus';
import { lazyBlobId } from '@usufruct/walrus/blob-id';
import { s3BlobStore, s3OptionsFrom } from '@usufruct/walrus/s3';
import { z } from 'zod';
import type { Endpoints } from './endpoints.js';

/** Above it, ids of ciphertext are checked by drawing: computing one takes seconds for a network of 1,000 shards. */
const WHOLE_UP_TO_BYTES = 256 * 1024;
const WALRUS_SHARDS = 1_000;
/** A hundredth of a SUI. */
const MAX_TIP_MIST = '10000000';
const NETWORKS = ['testnet', 'mainnet'] as const;

const flag = z.enum(['yes', 'no']).transform((answer) => answer === 'yes');
const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
/**
 * How the command line stores. A publisher pays for what it stores; with `relay` and `nodes` the user's own wallet
 * registers, pays (WAL and SUI) and owns, and every step of an upload is in the journal. `s3` is an object store of the
 * user's or the DAO's, whose key is in the environment.
 */
const zStore = z.object({
  USUFRUCT_STORE: z.enum(['publisher', 'relay', 'nodes', 's3']).default('publisher'),
  USUFRUCT_RELAY_URL: z.url({ protocol: /^https?$/ }).optional(),
  USUFRUCT_MAX_TIP_MIST: z
    .string()
    .regex(/^\d{1,18}$/)
    .default(MAX_TIP_MIST),
  USUFRUCT_STORE_EPOCHS: count(1, 53).optional(),
  USUFRUCT_STORE_OWN: flag.optional(),
  /** `yes`: what is contributed goes into custody, as with `contribute --custody`; it is the wallet's own before. */
  USUFRUCT_BLOB_CUSTODY: flag.default(false),
  /** `no`: small files are blobs of their own, for aggregators that read no quilts. */
  USUFRUCT_STORE_QUILTS: flag.default(true),
  /** Of the network that ids are computed for; 0: they are not. */
  USUFRUCT_STORE_SHARDS: count(0, 1_000).optional(),
  USUFRUCT_STORE_CHECK_ONE_IN: count(1, 1_000_000).default(16),
});

export interface StoreSources {
  readonly endpoints: Endpoints;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signer: WalletSigner;
  readonly journal: Journal;
}

export interface OpenedStore {
  readonly store: BlobStore;
  readonly storage: StorageTerms;
}

/** Whether what is contributed goes into custody where nothing else is said. Refuses `CONFIG_INVALID`. */
export const custodyWanted = (environment: StoreSources['environment']): boolean =>
  settingsFrom(environment).USUFRUCT_BLOB_CUSTODY;

/** Refuses `CONFIG_INVALID` with the setting's name. Nothing is asked of anybody yet. */
export function openStore(sources: StoreSources): OpenedStore {
  const { endpoints, environment } = sources;
  const settings = settingsFrom(environment);
  const isLocal = endpoints.suiNetwork === LOCAL_NETWORK;
  const known = isLocal ? endpoints.storeShards : WALRUS_SHARDS;
  const shards = settings.USUFRUCT_STORE_SHARDS ?? known ?? 0;
  const idCheck = shards === 0 ? {} : { idCheck: idCheckOf(shards, settings.USUFRUCT_STORE_CHECK_ONE_IN) };
  const storage: StorageTerms = {
    ...(settings.USUFRUCT_STORE_EPOCHS !== undefined && { epochs: settings.USUFRUCT_STORE_EPOCHS }),
    ...(settings.USUFRUCT_STORE_OWN !== undefined && { own: settings.USUFRUCT_STORE_OWN }),
  };
  const { publisherUrl, aggregatorUrl } = endpoints;
  if (settings.USUFRUCT_STORE === 's3')
    return { store: s3BlobStore(s3OptionsFrom(givenIn(environment), systemClock)), storage };
  if (settings.USUFRUCT_STORE !== 'publisher') return { store: ownStore(sources, settings, idCheck), storage };
  // The local store stands in for the transactions of a lease's owner, too.
  const leases = isLocal ? { leases: localLeases({ url: publisherUrl }) } : {};
  // How many files a quilt holds follows from the shards; without their number there are none.
  const code = shards > 0 ? shards : known;
  const coded = {
    ...(code !== undefined && { shards: code }),
    ...((code === undefined || !settings.USUFRUCT_STORE_QUILTS) && { maxQuiltFiles: 0 }),
  };
  return { store: httpBlobStore({ publisherUrl, aggregatorUrl, ...coded, ...idCheck, ...leases }), storage };
}

const givenIn = (environment: StoreSources['environment']): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));

function settingsFrom(environment: StoreSources['environment']): z.output<typeof zStore> {
  const parsed = zStore.safeParse(givenIn(environment));
  if (!parsed.success) throw invalid(String(parsed.error.issues[0]?.path[0] ?? 'USUFRUCT_STORE'));
  const { USUFRUCT_BLOB_CUSTODY: custody, USUFRUCT_STORE_OWN: own } = parsed.data;
  if (custody && own === false) throw invalid('USUFRUCT_STORE_OWN', 'what goes into custody is the wallet’s own');
  return parsed.data;
}

const idCheckOf = (shards: number, oneIn: number): IdCheckOptions => ({
  blobIdOf: lazyBlobId(shards),
  wholeUpToBytes: WHOLE_UP_TO_BYTES,
  oneIn,
  random: systemRandom,
});

/** Opened when it is used: Walrus's SDK takes longer to load than most commands take. */
function ownStore(
  { endpoints, environment, signer, journal }: StoreSources,
  settings: z.output<typeof zStore>,
  idCheck: { readonly idCheck?: IdCheckOptions },
): BlobStore {
  const network = NETWORKS.find((name) => name === endpoints.suiNetwork);
  if (network === undefined) throw invalid('USUFRUCT_STORE', 'a wallet of its own stores on testnet or mainnet only');
  const { USUFRUCT_STORE: kind, USUFRUCT_RELAY_URL: url, USUFRUCT_MAX_TIP_MIST: tip } = settings;
  if (kind === 'relay' && url === undefined) throw invalid('USUFRUCT_RELAY_URL');
  if (signer.signTransaction === undefined) throw invalid('wallet', 'it cannot sign transactions of Sui');
  return lazyBlobStore(uploadAbilities(settings.USUFRUCT_STORE_QUILTS ? undefined : 0), async () => {
    const { openWalrusStore } = await import('@usufruct/walrus/sui');
    return openWalrusStore({
      network,
      client: openSuiClient(network, environment['SUI_GRPC_URL']),
      signer,
      journal,
      aggregatorUrl: endpoints.aggregatorUrl,
      upload:
        url !== undefined && kind === 'relay' ? { kind: 'relay', url, maxTipMist: BigInt(tip) } : { kind: 'nodes' },
      ...idCheck,
    });
  });
}

const invalid = (setting: string, reason = 'missing or not of the expected form'): Error =>
  refuse('CONFIG_INVALID', { setting, reason });
