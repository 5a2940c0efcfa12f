import {
  changeUpgrade,
  openSuiClient,
  readTimelock,
  type Publication,
  type TimelockState,
  type UpgradeChange,
} from '@usufruct/chain';
import { refuse } from '@usufruct/kernel';
import { upgradeState, type UpgradeHistory } from '@usufruct/protocol';
import { durationWords, upgradesOf } from '@usufruct/sdk';
import type { Command } from 'commander';
import { pinnedPackage } from '../move-package.js';
import type { AddCommand } from '../program.js';
import { keepPublication, publicationPath, readPublication } from '../publication-file.js';
import { publisherWallet, requireSuiNetwork } from '../publisher-wallet.js';
import type { Runtime } from '../runtime.js';
import { timeOf } from '../words.js';

interface ChangeOptions {
  readonly network: string;
  readonly grpc?: string;
  readonly file?: string;
  readonly yes?: boolean;
}
interface AnnounceOptions extends ChangeOptions {
  readonly package?: string;
  readonly digest?: string;
}
interface UpgradeOptions extends ChangeOptions {
  readonly package?: string;
}
type Open = Parameters<AddCommand>[1];

/** What becomes of the right to upgrade: everybody reads it, who has the `UpgradeAdmin` acts. */
export function addUpgrades(chain: Command, open: Open): void {
  chain
    .command('upgrades')
    .description('announced upgrades of the contracts, from the chain that the endpoints name')
    .action(async (_options, command) => {
      const runtime = open(command);
      const history = await upgradesOf({ chain: runtime.chain() });
      const nowMs = runtime.clock.nowMs();
      const upgrades = history.upgrades.map((upgrade) => ({ ...upgrade, state: upgradeState(upgrade, nowMs) }));
      runtime.terminal.result({ timelock: history.timelock, upgrades }, [
        timelockLine(history),
        ...upgrades.map(
          ({ state, digest, announcedAtMs, readyAtMs, lapsesAtMs }) =>
            `${state}  ${digest.slice(2)}  announced ${timeOf(announcedAtMs)}, usable from ${timeOf(readyAtMs)} to ${timeOf(lapsesAtMs)}`,
        ),
      ]);
    });
  changing(chain, 'announce', 'announce the digest of a new version, which can be used once the delay has passed')
    .option('--package <file>', 'compiled modules and dependencies as JSON (default: compile this project)')
    .option('--digest <digest>', 'only its digest, as the compiler prints it: 64 hex digits')
    .action(async (options: AnnounceOptions, command) => {
      const change = async () => ({ kind: 'announce' as const, digest: await announcedDigest(options) });
      await run(open(command), options, change, (digest) => `Announce ${digest}?`);
    });
  changing(chain, 'cancel', 'withdraw what is announced').action(async (options: ChangeOptions, command) =>
    run(open(command), options, () => ({ kind: 'cancel' }), 'Cancel the announced upgrade?'),
  );
  changing(chain, 'upgrade', 'publish the announced version, once its delay has passed')
    .option('--package <file>', 'compiled modules and dependencies as JSON (default: compile this project)')
    .action(async (options: UpgradeOptions, command) => {
      const change = async () => ({ kind: 'upgrade' as const, pack: await pinnedPackage(options.package) });
      await run(open(command), options, change, 'Upgrade the contracts?');
    });
  changing(chain, 'burn', 'destroy the right to upgrade: the version that runs stays for ever').action(
    async (options: ChangeOptions, command) =>
      run(open(command), options, () => ({ kind: 'burn' }), 'Destroy the right to upgrade, for good?'),
  );
}

const changing = (chain: Command, name: string, description: string): Command =>
  chain
    .command(name)
    .description(description)
    .requiredOption('--network <network>', 'testnet, mainnet, or the address of a full node')
    .option('--grpc <url>', 'another full node of that network')
    .option('--file <file>', 'where publish kept the ids (default: sui.<network>.json)')
    .option('--yes', 'do not ask');

async function run(
  runtime: Runtime,
  { network, grpc, file, yes }: ChangeOptions,
  makeChange: () => UpgradeChange | Promise<UpgradeChange>,
  question: string | ((digest: string) => string),
): Promise<void> {
  requireSuiNetwork(network);
  const signer = publisherWallet(runtime, network);
  const client = openSuiClient(network, grpc);
  const path = file ?? publicationPath(network);
  const known = readPublication(path);
  if (known === null) throw refuse('NOT_FOUND', { object: 'publication file', path });
  const change = await makeChange();
  const asked = typeof question === 'string' ? question : question(change.kind === 'announce' ? change.digest : '');
  if (yes !== true && !(await runtime.terminal.confirm(asked)))
    throw refuse('INVALID_ARGUMENT', { field: 'yes', expected: 'yes' });
  const keep = (publication: Publication): void => keepPublication(path, publication);
  const { timelockId = null, callPackageId, packageId } = await changeUpgrade(known, change, { client, signer, keep });
  const timelock = timelockId === null ? null : await readTimelock(client, timelockId);
  const facts = { path, packageId, callPackageId: callPackageId ?? packageId, timelockId, timelock };
  runtime.terminal.result(facts, [
    ...(change.kind === 'upgrade' ? [`SUI_CALL_PACKAGE_ID=${callPackageId}`] : []),
    stateLine(timelock),
  ]);
}

/** As the compiler prints it; of a package, only if it is the pinned one. */
async function announcedDigest({ digest, package: file }: AnnounceOptions): Promise<string> {
  if (digest === undefined) return (await pinnedPackage(file)).digest;
  const hex = digest.toLowerCase().replace(/^0x/, '');
  if (!/^[0-9a-f]{64}$/.test(hex)) throw refuse('INVALID_ARGUMENT', { field: 'digest', expected: '64 hex digits' });
  return hex;
}

function stateLine(timelock: TimelockState | null): string {
  if (timelock === null) return 'No upgrades any more: the right to them is destroyed.';
  const { announced } = timelock;
  if (announced === null) return 'Nothing is announced.';
  const { digest, readyAtMs, lapsesAtMs } = announced;
  return `Announced: ${digest}, usable from ${timeOf(readyAtMs)} to ${timeOf(lapsesAtMs)}.`;
}

function timelockLine({ timelock }: UpgradeHistory): string {
  if (timelock === null) {
    return 'No event tells where the right to upgrade is: it was destroyed at publication, or is in somebody’s wallet.';
  }
  const { id, packageId, version, delayMs, immutableAtMs } = timelock;
  const runs = `Version ${version} runs (${packageId})`;
  return immutableAtMs === null
    ? `${runs}. Another is announced ${durationWords(delayMs)} before it can be used, behind ${id}.`
    : `${runs}, for ever: the right to upgrade was destroyed ${timeOf(immutableAtMs)}.`;
}
