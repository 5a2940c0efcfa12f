import { refuse, UsufructError } from '@usufruct/kernel';
import { EVIDENCE_PROFILES } from '@usufruct/protocol';
import { isAggregatorUrl } from '@usufruct/walrus';
import { z } from 'zod';

const zUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));

const zPortalConfig = z.object({
  apiUrl: zUrl,
  /** The local chain's address; none with a real network. */
  chainUrl: zUrl.optional(),
  suiNetwork: z.string().min(1).max(256),
  /** Where our package is on a Sui network, as `usufruct chain publish` prints it. */
  sui: z
    .object({
      packageId: z.string(),
      callPackageId: z.string().optional(),
      registryId: z.string(),
      coinType: z.string(),
      grpcUrl: zUrl.optional(),
      /** Pays the gas of the portal's users; both or neither. */
      sponsorUrl: zUrl.optional(),
      sponsorAddress: z.string().optional(),
    })
    .optional(),
  /** What a sign-in challenge must name: the host of this portal where it is left out. */
  signInDomain: z.string().min(1).max(253).optional(),
  publisherUrl: zUrl,
  /** One, or several with commas between. */
  aggregatorUrl: z.string().refine(isAggregatorUrl),
  /** Over how many shards the local store codes; a Walrus network has 1,000. */
  storeShards: z.int().min(4).max(1_000).optional(),
  holderUrls: z.array(zUrl).min(1).max(32),
  /** A stand-in: offer a wallet whose keys lie in the browser's storage. */
  devWallet: z.boolean(),
  /** A stand-in: PEM of the software TEE's root, so that its evidence can be checked at all. */
  teeDevRoot: z.string().max(16_384).optional(),
  /** Runners that a founder may want to approve: proposals for a form, which the founder must judge. */
  runners: z
    .array(z.object({ profile: z.enum(EVIDENCE_PROFILES), measurement: z.string().regex(/^[0-9a-f]{96}$/) }))
    .max(32)
    .default([]),
});
export type PortalConfig = z.output<typeof zPortalConfig>;

/**
 * Check a configuration. Refuses with `CONFIG_INVALID` and the setting's name, and with `STAND_IN_FORBIDDEN` where a
 * stand-in (development wallet, software TEE, local chain) is named together with a real network.
 */
export function parseConfig(value: unknown): PortalConfig {
  const parsed = zPortalConfig.safeParse(value);
  if (!parsed.success) {
    const setting = parsed.error.issues[0]?.path.join('.') || 'config.json';
    throw refuse('CONFIG_INVALID', { setting });
  }
  const config = parsed.data;
  if (config.suiNetwork === 'local') {
    if (config.chainUrl === undefined) throw refuse('CONFIG_INVALID', { setting: 'chainUrl' });
    return config;
  }
  if (config.devWallet) throw refuse('STAND_IN_FORBIDDEN', { standIn: 'development wallet' });
  if (config.teeDevRoot !== undefined) throw refuse('STAND_IN_FORBIDDEN', { standIn: 'software TEE' });
  if (config.chainUrl !== undefined) throw refuse('STAND_IN_FORBIDDEN', { standIn: 'local chain' });
  if (config.sui === undefined) throw refuse('CONFIG_INVALID', { setting: 'sui' });
  return config;
}

/** Read `config.json` from beside the portal. */
export async function loadConfig(fetch: typeof globalThis.fetch, baseUrl: string): Promise<PortalConfig> {
  try {
    const response = await fetch(new URL('config.json', baseUrl), { cache: 'no-store' });
    if (!response.ok) throw refuse('CONFIG_INVALID', { setting: 'config.json' });
    return parseConfig(await response.json());
  } catch (error) {
    throw error instanceof UsufructError ? error : refuse('CONFIG_INVALID', { setting: 'config.json' }, error);
  }
}
