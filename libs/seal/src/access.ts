import { SealClient } from '@mysten/seal';
import { SuiChain, type Chain, type SealApprovals } from '@usufruct/chain';
import { refuse, type Hex32 } from '@usufruct/kernel';
import type { KeyServerSetting } from './settings.js';

/** What this adapter works with; `fetch` reaches the key servers. */
export interface SealAccess {
  readonly approvals: SealApprovals;
  readonly keyServers: readonly KeyServerSetting[];
  readonly fetch: typeof globalThis.fetch;
  /** How long one key server may take. */
  readonly timeoutMs: number;
}

/**
 * Refuses `KEY_MODE_UNAVAILABLE` on the local chain: Seal's servers run our contracts on full nodes of Sui, and nothing
 * here pretends to be one.
 */
export function sealApprovalsOf(chain: Chain): SealApprovals {
  if (chain instanceof SuiChain) return chain.seal();
  throw refuse('KEY_MODE_UNAVAILABLE', { mode: 'seal', chain: 'local', needs: 'SUI_NETWORK with our package on it' });
}

/**
 * Seal's own client over these servers. It keeps the keys that it was given, so whoever wants a revocation to count
 * makes a new one each time.
 */
export function sealClient(
  { approvals, keyServers, fetch, timeoutMs }: SealAccess,
  objectIds: readonly Hex32[],
  { isVerifying }: { readonly isVerifying: boolean },
): SealClient {
  const serverConfigs = keyServers.flatMap(({ objectId, aggregatorUrl, apiKeyName, apiKey }) =>
    objectIds.includes(objectId)
      ? [
          {
            objectId,
            weight: 1,
            ...(aggregatorUrl !== undefined && { aggregatorUrl }),
            ...(apiKeyName !== undefined && { apiKeyName }),
            ...(apiKey !== undefined && { apiKey }),
          },
        ]
      : [],
  );
  return new SealClient({
    suiClient: approvals.client,
    serverConfigs,
    verifyKeyServers: isVerifying,
    timeout: timeoutMs,
    fetch,
  });
}
