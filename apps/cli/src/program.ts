import { Command } from 'commander';
import { EXIT_CODES_HELP } from './exit-codes.js';
import type { GlobalOptions, Runtime } from './runtime.js';
import type { Streams } from './terminal.js';

export interface ProgramParams {
  /** As Node gives it: its own path and the script's come first. */
  readonly argv: readonly string[];
  readonly streams: Streams;
  readonly open: (options: GlobalOptions) => Runtime;
}
/** Adds one command. `open` is called by its action: once, when the options are known. */
export type AddCommand = (program: Command, open: (command: Command) => Runtime) => void;

/** In the order of the data's path. One is loaded when it is called for: all of them need more time and memory to start. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  wallet: async () => (await import('./commands/wallet.js')).addWallet,
  faucet: async () => (await import('./commands/faucet.js')).addFaucet,
  'holder-set': async () => (await import('./commands/holder-set.js')).addHolderSet,
  holders: async () => (await import('./commands/holders.js')).addHolders,
  dao: async () => (await import('./commands/dao/index.js')).addDao,
  dataset: async () => (await import('./commands/dataset.js')).addDataset,
  contribute: async () => (await import('./commands/contribute.js')).addContribute,
  contribution: async () => (await import('./commands/contribution.js')).addContribution,
  consent: async () => (await import('./commands/consent.js')).addConsent,
  erase: async () => (await import('./commands/erase.js')).addErase,
  licence: async () => (await import('./commands/licence.js')).addLicence,
  job: async () => (await import('./commands/job.js')).addJob,
  attest: async () => (await import('./commands/attest/index.js')).addAttest,
  ask: async () => (await import('./commands/ask.js')).addAsk,
  proxy: async () => (await import('./commands/proxy.js')).addProxy,
  mcp: async () => (await import('./commands/mcp.js')).addMcp,
  receipt: async () => (await import('./commands/receipt.js')).addReceipt,
  payout: async () => (await import('./commands/payout.js')).addPayout,
  releases: async () => (await import('./commands/releases.js')).addReleases,
  chain: async () => (await import('./commands/chain.js')).addChain,
  eval: async () => (await import('./commands/eval.js')).addEval,
  doctor: async () => (await import('./commands/doctor.js')).addDoctor,
};
const HELP = new Set(['help', '--help', '-h']);

/** The command of a command line; what only has a command's name, a file perhaps, is loaded with it, and does no harm. */
function namedIn(words: readonly string[]): string[] {
  const named = Object.keys(COMMANDS).filter((name) => words.includes(name));
  return named.length === 0 || words.some((word) => HELP.has(word)) ? Object.keys(COMMANDS) : named;
}

export async function buildProgram({ argv, streams, open }: ProgramParams): Promise<Command> {
  const program = new Command('usufruct');
  program
    .description('Contribute data, decide what it may be used for, use it without seeing it, and see who was paid.')
    .option('--json', 'print one JSON object to stdout, and nothing else there')
    .option('--endpoints <file>', 'where the system is (default: .usufruct/endpoints.json, which npm start writes)')
    .option('--home <dir>', 'wallet and journal of this user (default: ~/.usufruct, or USUFRUCT_CLI_HOME)')
    .option('--wallet <file>', 'the wallet file (default: wallet.json in the home, or USUFRUCT_WALLET)')
    .addHelpText('after', EXIT_CODES_HELP)
    .exitOverride()
    .configureOutput({
      writeOut: streams.out,
      writeErr: (text) => {
        if (program.opts<GlobalOptions>().json !== true) streams.err(text); // with --json the error is on stdout
      },
    });
  for (const name of namedIn(argv.slice(2))) {
    const add = await COMMANDS[name]!();
    add(program, (command) => open(command.optsWithGlobals<GlobalOptions>()));
  }
  inherit(program);
  return program;
}

/** Sub-commands end by throwing too, and write to the same streams. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}
