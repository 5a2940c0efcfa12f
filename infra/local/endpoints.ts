import type { SystemSettings } from './settings.js';

/** Where everything is: written for the CLI, the demo and the tests, and the source of the portal's config.json. */
export interface Endpoints {
  readonly apiUrl: string;
  readonly chainUrl: string;
  readonly suiNetwork: string;
  readonly publisherUrl: string;
  readonly aggregatorUrl: string;
  /** Over how many shards the local store codes; a real one is known to have 1,000. */
  readonly storeShards?: number;
  readonly holderUrls: readonly string[];
  readonly runnerUrls: readonly string[];
  readonly portalUrl: string;
  /** PEM of the software TEE's root: a stand-in. */
  readonly teeDevRoot: string;
  readonly runnerProfile: string;
  readonly runnerMeasurement: string;
  readonly standIns: readonly string[];
}

/** What the browser is told; the form is the portal's. */
export function portalConfig(endpoints: Endpoints): object {
  const { apiUrl, chainUrl, suiNetwork, publisherUrl, aggregatorUrl, holderUrls, teeDevRoot } = endpoints;
  const runners = [{ profile: endpoints.runnerProfile, measurement: endpoints.runnerMeasurement }];
  return {
    apiUrl,
    chainUrl,
    suiNetwork,
    publisherUrl,
    aggregatorUrl,
    ...(endpoints.storeShards !== undefined && { storeShards: endpoints.storeShards }),
    holderUrls,
    teeDevRoot,
    runners,
    signInDomain: new URL(endpoints.portalUrl).host,
    devWallet: true,
  };
}

/** The two addresses of the store are one process when it is the local one. */
export const storeUrls = (
  settings: SystemSettings,
  localUrl: string,
): { publisherUrl: string; aggregatorUrl: string } =>
  settings.walrus ?? { publisherUrl: localUrl, aggregatorUrl: localUrl };
