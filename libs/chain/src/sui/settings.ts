import { normalizeStructTag } from '@mysten/sui/utils';
import { asId, isHex32, refuse, type Address, type Hex32 } from '@usufruct/kernel';
import type { SponsorSettings } from './transactions/http-sponsor.js';

/** Where the settings of a Sui network come from; each is named in refusals. */
export const SUI_SETTINGS = {
  packageId: 'SUI_PACKAGE_ID',
  callPackageId: 'SUI_CALL_PACKAGE_ID',
  registryId: 'SUI_REGISTRY_ID',
  coinType: 'SUI_COIN_TYPE',
  grpcUrl: 'SUI_GRPC_URL',
  sponsorUrl: 'SUI_SPONSOR_URL',
  sponsorAddress: 'SUI_SPONSOR_ADDRESS',
} as const;

/** As configured: text, unchecked. `suiSettings` checks it. */
export type SuiOptions = { readonly [K in keyof typeof SUI_SETTINGS]?: string | undefined };

export interface SuiSettings {
  /** `testnet`, `mainnet`, or `custom` for a network that is named by its address. */
  readonly network: string;
  readonly grpcUrl: string;
  /** The first version of our package: types, events and receipts name it, whatever version runs. */
  readonly packageId: Hex32;
  /** The version whose functions are called; the same until the package is upgraded. */
  readonly callPackageId: Hex32;
  readonly registryId: Hex32;
  /** The coin that jobs are paid in; DAOs of another coin are not seen. */
  readonly coinType: string;
  /** Pays the gas of everything that is sent; without one the sender does. */
  readonly sponsor: SponsorSettings | null;
}

/** Every version of our package that may have brought types of its own, once each. */
export const packageIdsOf = ({ packageId, callPackageId }: SuiSettings): Hex32[] => [
  ...new Set([packageId, callPackageId]),
];

const FULL_NODES: Readonly<Record<string, string>> = {
  testnet: 'https://fullnode.testnet.sui.io:443',
  mainnet: 'https://fullnode.mainnet.sui.io:443',
};

/** The options of a Sui network from environment variables; checked when a chain is opened. */
export const suiOptionsFrom = (environment: Readonly<Record<string, string | undefined>>): SuiOptions =>
  Object.fromEntries(Object.entries(SUI_SETTINGS).map(([option, variable]) => [option, environment[variable]]));

/** Name and gRPC address of a network. Refuses `CONFIG_INVALID` for a name that is neither known nor an address. */
export function suiEndpoint(suiNetwork: string, grpcUrl?: string): { network: string; grpcUrl: string } {
  const network = suiNetwork in FULL_NODES ? suiNetwork : 'custom';
  const url = grpcUrl || (FULL_NODES[suiNetwork] ?? suiNetwork);
  if (network === 'custom' && !isHttp(suiNetwork)) {
    throw invalid('SUI_NETWORK', 'local, testnet, mainnet, or the http(s) address of a full node');
  }
  if (!isHttp(url)) throw invalid(SUI_SETTINGS.grpcUrl, 'an http(s) address');
  return { network, grpcUrl: url.replace(/\/+$/, '') };
}

/** Refuses `CONFIG_INVALID` with the name of the first setting that is missing or wrong. */
export function suiSettings(suiNetwork: string, options: SuiOptions): SuiSettings {
  const endpoint = suiEndpoint(suiNetwork, options.grpcUrl);
  const packageId = idSetting(options, 'packageId');
  return {
    ...endpoint,
    packageId,
    callPackageId: options.callPackageId ? idSetting(options, 'callPackageId') : packageId,
    registryId: idSetting(options, 'registryId'),
    coinType: coinSetting(options.coinType),
    sponsor: sponsorSetting(options),
  };
}

/** Both or neither: an address without a service pays nothing, and a service could name anybody as payer. */
function sponsorSetting(options: SuiOptions): SponsorSettings | null {
  const { sponsorUrl: url, sponsorAddress } = options;
  if (!url && !sponsorAddress) return null;
  if (!url || !isHttp(url)) throw invalid(SUI_SETTINGS.sponsorUrl, 'an http(s) address');
  return { url, address: idSetting<Address>(options, 'sponsorAddress') };
}

type IdOption = 'packageId' | 'callPackageId' | 'registryId' | 'sponsorAddress';
function idSetting<T extends Hex32 = Hex32>(options: SuiOptions, option: IdOption): T {
  const value = options[option];
  if (!isHex32(value)) throw invalid(SUI_SETTINGS[option], '0x and 64 lower-case hex digits');
  return asId<T>(value, SUI_SETTINGS[option]);
}

function coinSetting(value: string | undefined): string {
  try {
    if (value) return normalizeStructTag(value);
  } catch {
    // falls through to the one refusal
  }
  throw invalid(SUI_SETTINGS.coinType, 'the type of a coin: package::module::NAME');
}

const isHttp = (text: string): boolean => /^https?:$/.test(URL.parse(text)?.protocol ?? '');

const invalid = (setting: string, reason: string) => refuse('CONFIG_INVALID', { setting, reason });
