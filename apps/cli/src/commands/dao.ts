import { refuse } from '@usufruct/kernel';
import { LIMITS, type DaoPolicy, type RevenueSplit } from '@usufruct/protocol';
import { formatCoins, parseCoins } from '../amounts.js';
import type { AddCommand } from '../program.js';
import type { Runtime } from '../runtime.js';

interface CreateOptions {
  readonly title: string;
  readonly description: string;
  readonly price: string;
  readonly purpose: string[];
  readonly threshold: string;
  readonly split: string;
  readonly measurement?: string;
}

export const addDao: AddCommand = (program, open) => {
  const dao = program.command('dao').description('data DAOs');
  dao
    .command('create')
    .description(
      'found a DAO whose keys are held by the configured key holders; repeating it with the same title and description changes nothing',
    )
    .requiredOption('--title <text>')
    .option('--description <text>', '', '')
    .requiredOption('--price <amount>', 'of one question, in coins')
    .option('--purpose <code...>', 'what questions may be for (DUO or DPV codes)', ['dpv:ResearchAndDevelopment'])
    .option('--threshold <n>', 'how many key holders are needed', '2')
    .option('--split <list>', 'contributors,treasury,runner,protocol in parts of ten thousand', '8000,1000,800,200')
    .option('--measurement <hex>', 'the approved runner (default: the one that the endpoints name)')
    .action(async (options: CreateOptions, command) => {
      const runtime = open(command);
      const client = runtime.client();
      const { title, description } = options;
      const key = JSON.stringify([client.address, title, description]);
      const holderSet = await client.daos.createHolderSet({
        key,
        threshold: integerOf(options.threshold, 'threshold'),
      });
      const policy = await policyOf(runtime, options, holderSet.id);
      const made = await client.daos.create({ key, title, description, policy });
      runtime.terminal.result({ daoId: made.id, holderSetId: holderSet.id, dao: made }, [
        `DAO ${made.id}`,
        `${holderSet.threshold} of ${holderSet.members.length} key holders (${holderSet.id})`,
        `a question costs ${formatCoins(made.policy.pricePerQuestionUnits, await runtime.coin())}`,
      ]);
    });
};

async function policyOf(
  runtime: Runtime,
  options: CreateOptions,
  holderSetId: DaoPolicy['holderSetId'],
): Promise<DaoPolicy> {
  const { standIn, coin } = await runtime.chain().info();
  const measurement = options.measurement ?? runtime.endpoints().runnerMeasurement;
  if (measurement === undefined) throw refuse('CONFIG_INVALID', { setting: 'measurement' });
  return {
    pricePerQuestionUnits: parseCoins(options.price, coin, 'price'),
    purposes: options.purpose,
    kinds: ['rag'],
    protections: ['tee'],
    split: splitOf(options.split),
    holderSetId,
    appraisal: {
      version: 1,
      // Only the local chain may have software evidence approved; a real one names hardware.
      profiles: standIn ? ['software-dev'] : ['tdx+nv', 'tdx', 'snp', 'nitro'],
      measurements: [measurement],
      resultTermMs: LIMITS.jobTermMs,
    },
    verifierThreshold: integerOf(options.threshold, 'threshold'),
    maxJobTermMs: LIMITS.jobTermMs,
  };
}

function splitOf(text: string): RevenueSplit {
  const [contributorsBps, treasuryBps, runnerBps, protocolBps, ...rest] = text
    .split(',')
    .map((part) => integerOf(part, 'split'));
  if (protocolBps === undefined || rest.length > 0) {
    throw refuse('INVALID_ARGUMENT', { field: 'split', expected: 'four integers' });
  }
  return { contributorsBps: contributorsBps!, treasuryBps: treasuryBps!, runnerBps: runnerBps!, protocolBps };
}

export function integerOf(text: string, field: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw refuse('INVALID_ARGUMENT', { field, expected: 'an integer' });
  return Number(text);
}
