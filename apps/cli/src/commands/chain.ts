import {
  dryRunPublish,
  openSuiClient,
  publish,
  type Publication,
  type UpgradePolicy,
  type WalletSigner,
} from '@usufruct/chain';
import { refuse, type Address } from '@usufruct/kernel';
import { pinnedPackage, type PinnedPackage } from '../move-package.js';
import type { AddCommand } from '../program.js';
import { addUpgrades } from './chain-upgrades.js';
import { keepPublication, publicationPath, readPublication } from '../publication-file.js';
import { publisherWallet, requireSuiNetwork } from '../publisher-wallet.js';
import { idArgument, type Runtime } from '../runtime.js';

interface PublishOptions {
  readonly network: string;
  readonly grpc?: string;
  readonly package?: string;
  readonly delayDays: string;
  readonly burn?: boolean;
  readonly protocolAccount?: string;
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const DAY_MS = 24 * 60 * 60_000;

export const addChain: AddCommand = (program, open) => {
  const chain = program.command('chain').description('the contracts on a Sui network');
  chain
    .command('publish')
    .description('publish the contracts and open their registry; goes on where it was interrupted')
    .requiredOption('--network <network>', 'testnet, mainnet, or the address of a full node')
    .option('--grpc <url>', 'another full node of that network')
    .option('--package <file>', 'compiled modules and dependencies as JSON (default: compile this project)')
    .option('--delay-days <days>', 'how long an upgrade is announced before it can be used, 7 to 365', '30')
    .option('--burn', 'no upgrades, ever')
    .option('--protocol-account <address>', "who receives the protocol's part (default: the publisher)")
    .option('--out <file>', 'where the ids are kept (default: sui.<network>.json)')
    .option('--dry-run', 'check and simulate; nothing is signed or sent')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nThe publisher is the wallet of USUFRUCT_WALLET_SECRET (suiprivkey…), and pays the gas.')
    .action(async (options: PublishOptions, command) => runPublish(open(command), options));
  addUpgrades(chain, open);
};

async function runPublish(runtime: Runtime, options: PublishOptions): Promise<void> {
  requireSuiNetwork(options.network);
  const signer = publisherWallet(runtime, options.network);
  const client = openSuiClient(options.network, options.grpc);
  const pack = await pinnedPackage(options.package);
  const upgrades = upgradesOf(options);
  if (options.dryRun === true) return dryRun(runtime, { pack, signer, upgrades, client });

  const path = options.out ?? publicationPath(options.network);
  const begun = readPublication(path) ?? (await newPublication({ pack, signer, upgrades, client, options }));
  requireSame(begun, { pack, signer, upgrades });
  if (begun.registryId === undefined && options.yes !== true) {
    const question = `Publish ${pack.digest} to ${options.network} as ${signer.address}?`;
    if (!(await runtime.terminal.confirm(question)))
      throw refuse('INVALID_ARGUMENT', { field: 'yes', expected: 'yes' });
  }
  const done = await publish(pack, begun, {
    client,
    signer,
    keep: (publication) => keepPublication(path, publication),
  });
  report(runtime, options.network, path, done);
}

function upgradesOf({ burn, delayDays }: PublishOptions): UpgradePolicy {
  if (burn === true) return 'burn';
  if (!/^[0-9]{1,3}$/.test(delayDays) || Number(delayDays) < 7 || Number(delayDays) > 365) {
    throw refuse('INVALID_ARGUMENT', { field: 'delay-days', expected: '7 to 365' });
  }
  return { delayMs: Number(delayDays) * DAY_MS };
}

interface Parts {
  readonly pack: PinnedPackage;
  readonly signer: WalletSigner;
  readonly upgrades: UpgradePolicy;
  readonly client: ReturnType<typeof openSuiClient>;
}

async function dryRun(runtime: Runtime, { pack, signer, upgrades, client }: Parts): Promise<void> {
  const { chainId, sizeBytes, gasBudgetMist } = await dryRunPublish(pack, signer.address, upgrades, client);
  const facts = {
    dryRun: true,
    chainId,
    publisher: signer.address,
    packageDigest: pack.digest,
    sizeBytes,
    gasBudgetMist,
  };
  runtime.terminal.result(facts, [
    `${pack.digest}, as pinned, would be published to ${chainId}`,
    `by ${signer.address}: ${sizeBytes} bytes, at most ${gasBudgetMist} MIST of gas; nothing was signed or sent`,
  ]);
}

async function newPublication(parts: Parts & { readonly options: PublishOptions }): Promise<Publication> {
  const { pack, signer, upgrades, client, options } = parts;
  const { chainIdentifier } = await client.core.getChainIdentifier().catch((cause: unknown) => {
    throw refuse('CHAIN_UNAVAILABLE', { chain: 'Sui' }, cause);
  });
  const protocolAccount =
    options.protocolAccount === undefined
      ? signer.address
      : idArgument<Address>(options.protocolAccount, 'protocol-account');
  return {
    chainId: `sui:${chainIdentifier}`,
    publisher: signer.address,
    packageDigest: pack.digest,
    upgrades,
    protocolAccount,
  };
}

/** What was begun goes on as it was begun, or not at all. */
function requireSame(begun: Publication, { pack, signer, upgrades }: Omit<Parts, 'client'>): void {
  const reason =
    begun.packageDigest !== pack.digest
      ? 'another package was begun'
      : begun.publisher !== signer.address
        ? 'another publisher began it'
        : JSON.stringify(begun.upgrades) !== JSON.stringify(upgrades)
          ? 'other upgrades were begun'
          : null;
  if (reason !== null) throw refuse('CONFIG_INVALID', { setting: 'publication file', reason });
}

function report(runtime: Runtime, network: string, path: string, done: Publication): void {
  const { chainId, packageId, registryId, timelockId, upgradeAdminId, protocolAccount, packageDigest } = done;
  const ids = { chainId, packageId, registryId, timelockId, upgradeAdminId, protocolAccount, packageDigest };
  runtime.terminal.result({ path, ...ids }, [
    `SUI_NETWORK=${network}`,
    `SUI_PACKAGE_ID=${packageId}`,
    `SUI_REGISTRY_ID=${registryId}`,
    'SUI_COIN_TYPE=<the coin that jobs are paid in>',
    timelockId === null
      ? 'No upgrades: the right to them is destroyed.'
      : `Upgrades wait behind ${timelockId}; ${upgradeAdminId} may announce them. Keep it safe.`,
    `All ids are in ${path}.`,
  ]);
}
