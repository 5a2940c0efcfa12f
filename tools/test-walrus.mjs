/**
 * `npm run test:walrus`: the contract of the blob port against every store that needs no network. With
 * `-- --network testnet` (or mainnet) also against that one, with the settings below; it stores a few small blobs for one
 * epoch, which costs whoever pays there. Without the settings it says which are missing and fails: no part of it is
 * passed over in silence.
 */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const NETWORKS = ['testnet', 'mainnet'];
const SETTINGS = {
  WALRUS_AGGREGATOR_URL: 'aggregators to read from, with commas between',
  'WALRUS_PUBLISHER_URL or WALRUS_WALLET_SECRET':
    'a publisher that pays; or the suiprivkey… of a wallet with SUI and WAL, with WALRUS_RELAY_URL and WALRUS_MAX_TIP_MIST for an upload relay',
};

const network = networkOf(process.argv.slice(2));
const missing = network === null ? [] : Object.entries(SETTINGS).filter(([names]) => !isSet(names));
if (network === undefined) fail([`usage: npm run test:walrus [-- --network ${NETWORKS.join('|')}]`]);
else if (missing.length > 0) fail(missing.map(([names, what]) => `missing: ${names} (${what})`));
else run(network);

/** `undefined`: not understood. */
function networkOf(args) {
  if (args.length === 0) return null;
  const [option, name] = args;
  return args.length === 2 && option === '--network' && NETWORKS.includes(name) ? name : undefined;
}

function isSet(names) {
  return names.split(' or ').some((name) => Boolean(process.env[name]));
}

function fail(lines) {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exitCode = 2;
}

function run(name) {
  const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
  const patient = name === null ? [] : ['--testTimeout', '600000'];
  const env = { USUFRUCT_STORE_CUTS: '1000', ...process.env };
  delete env.USUFRUCT_WALRUS_NETWORK;
  if (name !== null) env.USUFRUCT_WALRUS_NETWORK = name;
  const args = ['--experimental-vm-modules', '--no-warnings', jest, '--runInBand', ...patient, 'test/walrus'];
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' });
  child.on('exit', (code) => (process.exitCode = code ?? 1));
}
