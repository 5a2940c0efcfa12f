import { SuiGrpcClient } from '@mysten/sui/grpc';
import type { SuiEventStore } from './events/event-store.js';
import { GrpcEventSource } from './events/grpc-event-source.js';
import { packageIdsOf, suiEndpoint, suiSettings, type SuiOptions } from './settings.js';
import { SuiChain } from './sui-chain.js';
import { httpSponsor } from './transactions/http-sponsor.js';
import type { Sponsor } from './transactions/sponsor.js';

export interface OpenSuiOptions {
  /** `testnet`, `mainnet`, or the address of a full node. */
  readonly suiNetwork: string;
  readonly sui: SuiOptions;
  /** How long one answer of the full node may take. */
  readonly timeoutMs?: number;
  /** In place of the one that the settings name. */
  readonly sponsor?: Sponsor | undefined;
  /** Keeps what was read of the events over restarts; without one, the history is read again each time. */
  readonly eventStore?: SuiEventStore | undefined;
}

const TIMEOUT_MS = 10_000;

/** A client of a network that has nothing of ours yet. Refuses `CONFIG_INVALID` for a network that there is not. */
export function openSuiClient(suiNetwork: string, grpcUrl?: string): SuiGrpcClient {
  const endpoint = suiEndpoint(suiNetwork, grpcUrl);
  return new SuiGrpcClient({ network: endpoint.network, baseUrl: endpoint.grpcUrl });
}

/** A Sui network over gRPC; nothing is asked of it yet. Refuses `CONFIG_INVALID` with the setting that is missing or wrong. */
export function openSuiChain({
  suiNetwork,
  sui,
  timeoutMs = TIMEOUT_MS,
  sponsor,
  eventStore,
}: OpenSuiOptions): SuiChain {
  const settings = suiSettings(suiNetwork, sui);
  const client = new SuiGrpcClient({ network: settings.network, baseUrl: settings.grpcUrl });
  const events = new GrpcEventSource({ ledger: client.ledgerService, packageIds: packageIdsOf(settings), timeoutMs });
  const paidBy = sponsor ?? (settings.sponsor === null ? undefined : httpSponsor({ ...settings.sponsor, timeoutMs }));
  return new SuiChain({ settings, client, events, eventStore, sponsor: paidBy, timeoutMs });
}
