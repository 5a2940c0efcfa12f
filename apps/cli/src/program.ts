import { Command } from 'commander';
import { addAsk } from './commands/ask.js';
import { addAttest } from './commands/attest/index.js';
import { addChain } from './commands/chain.js';
import { addConsent } from './commands/consent.js';
import { addContribute } from './commands/contribute.js';
import { addContribution } from './commands/contribution.js';
import { addDao } from './commands/dao/index.js';
import { addDataset } from './commands/dataset.js';
import { addDoctor } from './commands/doctor.js';
import { addErase } from './commands/erase.js';
import { addEval } from './commands/eval.js';
import { addFaucet } from './commands/faucet.js';
import { addHolderSet } from './commands/holder-set.js';
import { addHolders } from './commands/holders.js';
import { addJob } from './commands/job.js';
import { addLicence } from './commands/licence.js';
import { addMcp } from './commands/mcp.js';
import { addPayout } from './commands/payout.js';
import { addProxy } from './commands/proxy.js';
import { addReceipt } from './commands/receipt.js';
import { addReleases } from './commands/releases.js';
import { addWallet } from './commands/wallet.js';
import { EXIT_CODES_HELP } from './exit-codes.js';
import type { GlobalOptions, Runtime } from './runtime.js';
import type { Streams } from './terminal.js';

export interface ProgramParams {
  readonly streams: Streams;
  readonly open: (options: GlobalOptions) => Runtime;
}
/** Adds one command. `open` is called by its action: once, when the options are known. */
export type AddCommand = (program: Command, open: (command: Command) => Runtime) => void;

/** In the order of the data's path. */
const COMMANDS: readonly AddCommand[] = [
  addWallet,
  addFaucet,
  addHolderSet,
  addHolders,
  addDao,
  addDataset,
  addContribute,
  addContribution,
  addConsent,
  addErase,
  addLicence,
  addJob,
  addAttest,
  addAsk,
  addProxy,
  addMcp,
  addReceipt,
  addPayout,
  addReleases,
  addChain,
  addEval,
  addDoctor,
];

export function buildProgram({ streams, open }: ProgramParams): Command {
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
  for (const add of COMMANDS) add(program, (command) => open(command.optsWithGlobals<GlobalOptions>()));
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
