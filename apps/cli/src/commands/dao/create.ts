import { refuse } from '@usufruct/kernel';
import {
  DEFAULT_DATA_RULES,
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  LIMITS,
  type DaoPolicy,
} from '@usufruct/protocol';
import { explainDataRules, explainGovernance, explainPayoutRules } from '@usufruct/sdk';
import { formatCoins, parseCoins } from '../../amounts.js';
import { integerOf, splitOf } from '../../arguments.js';
import type { AddCommand } from '../../program.js';
import type { Runtime } from '../../runtime.js';
import {
  dataRulesOf,
  governanceOf,
  payoutRulesOf,
  withDataRules,
  withGovernance,
  withPayoutRules,
  type DataOptions,
  type GovernanceOptions,
  type PayoutOptions,
} from './rules.js';

interface CreateOptions extends GovernanceOptions, PayoutOptions, DataOptions {
  readonly title: string;
  readonly description: string;
  readonly price: string;
  readonly purpose: string[];
  readonly threshold: string;
  readonly split: string;
  readonly measurement?: string;
}

export const addCreate: AddCommand = (dao, open) => {
  const create = dao
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
    .option('--measurement <hex>', 'the approved runner (default: the one that the endpoints name)');
  withDataRules(withPayoutRules(withGovernance(create))).action(async (options: CreateOptions, command) => {
    const runtime = open(command);
    const client = runtime.client();
    const { title, description } = options;
    const key = JSON.stringify([client.address, title, description]);
    const governance = governanceOf(options, DEFAULT_GOVERNANCE);
    const payoutRules = payoutRulesOf(options, DEFAULT_PAYOUT_RULES);
    const holderSet = await client.daos.createHolderSet({ key, threshold: integerOf(options.threshold, 'threshold') });
    const policy = await policyOf(runtime, options, holderSet.id);
    const made = await client.daos.create({ key, title, description, policy, governance, payoutRules });
    runtime.terminal.result({ daoId: made.id, holderSetId: holderSet.id, dao: made }, [
      `DAO ${made.id}`,
      `${holderSet.threshold} of ${holderSet.members.length} key holders (${holderSet.id})`,
      `a question costs ${formatCoins(made.policy.pricePerQuestionUnits, await runtime.coin())}`,
      ...explainGovernance(made.governance),
      ...explainPayoutRules(made.payoutRules),
      ...explainDataRules(made.policy),
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
    ...dataRulesOf(options, DEFAULT_DATA_RULES),
  };
}
