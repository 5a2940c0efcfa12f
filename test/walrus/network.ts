import { openSuiClient, keypairSigner } from '@usufruct/chain';
import { httpBlobStore, type BlobStore } from '@usufruct/walrus';
import { openWalrusStore } from '@usufruct/walrus/sui';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A real network's store from the settings of `npm run test:walrus` (tools/test-walrus.mjs says which): a publisher, or
 * a wallet of one's own with an upload relay or straight to the storage nodes.
 */
export function openNetworkStore(network: 'testnet' | 'mainnet', environment: Environment): BlobStore {
  const aggregatorUrl = environment['WALRUS_AGGREGATOR_URL'] ?? '';
  const publisherUrl = environment['WALRUS_PUBLISHER_URL'];
  if (publisherUrl) return httpBlobStore({ publisherUrl, aggregatorUrl, timeoutMs: 180_000 });
  const relayUrl = environment['WALRUS_RELAY_URL'];
  const records = new Map<string, string>();
  return openWalrusStore({
    network,
    client: openSuiClient(network, environment['SUI_GRPC_URL']),
    signer: keypairSigner(environment['WALRUS_WALLET_SECRET'] ?? ''),
    journal: {
      get: async (key) => records.get(key) ?? null,
      put: async (key, value) => void records.set(key, value),
      delete: async (key) => void records.delete(key),
    },
    aggregatorUrl,
    upload: relayUrl
      ? { kind: 'relay', url: relayUrl, maxTipMist: BigInt(environment['WALRUS_MAX_TIP_MIST'] ?? '0') }
      : { kind: 'nodes' },
    timeoutMs: 180_000,
  });
}
