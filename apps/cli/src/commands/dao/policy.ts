import { refuse, type DaoId, type HolderSetId } from '@usufruct/kernel';
import { policyDiff, withAppraisal, type ChainInfo, type DaoPolicy } from '@usufruct/protocol';
import { explainChange } from '@usufruct/sdk';
import { parseCoins } from '../../amounts.js';
import { integerOf, splitOf } from '../../arguments.js';
import type { AddCommand } from '../../program.js';
import { idArgument } from '../../runtime.js';
import { timeOf, underKey, wordsIn, wordsOf } from '../../words.js';
import { policyLines } from './policy-lines.js';
import { dataRulesOf, withDataRules, withTerms, withTermsOf, type DataOptions, type TermsOptions } from './rules.js';

interface SetOptions extends TermsOptions, DataOptions {
  readonly price?: string;
  readonly purpose?: string[];
  readonly split?: string;
  readonly holderSet?: string;
  readonly threshold?: string;
  readonly measurement?: string[];
  readonly yes?: boolean;
}

export const addPolicy: AddCommand = (dao, open) => {
  const policy = dao.command('policy').description('what a DAO allows, at which price, by which code');
  policy
    .command('show')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const view = await runtime.chain().dao(idArgument<DaoId>(id, 'dao'));
      const { policyVersion, policyDigest } = view;
      runtime.terminal.result({ policyVersion, policyDigest, policy: view.policy }, [
        `version ${policyVersion} (${policyDigest})`,
        ...policyLines(view.policy, await wordsOf(runtime)),
      ]);
    });
  policy
    .command('history')
    .description('every version, oldest first: when, by whom, and what it changed')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const versions = await runtime.client().daos.policyVersions(idArgument<DaoId>(id, 'dao'));
      const words = await wordsOf(runtime);
      const lines = versions.flatMap(({ version, by, atMs, changes }) => [
        `version ${version}  ${timeOf(atMs)}  by ${by}`,
        ...changes.map((change) => `  ${explainChange(change, words)}`),
      ]);
      runtime.terminal.result({ versions }, lines);
    });
  const set = policy
    .command('set')
    .description('replace parts of the policy, by a policy maker: shows every change and asks first')
    .argument('<dao>')
    .option('--price <amount>', 'of one question, in coins')
    .option('--purpose <code...>', 'what questions may be for (DUO or DPV codes)')
    .option('--split <list>', 'contributors,treasury,runner,protocol in parts of ten thousand')
    .option('--holder-set <id>', 'key holders and verifiers')
    .option('--threshold <n>', 'how many verifiers register a runner')
    .option('--measurement <hex...>', 'all approved code; dao measurements adds or withdraws one');
  withDataRules(withTerms(set))
    .option('--yes', 'do not ask')
    .action(async (id: string, options: SetOptions, command) => {
      const runtime = open(command);
      const daoId = idArgument<DaoId>(id, 'dao');
      const { coin } = await runtime.chain().info();
      const before = await runtime.chain().dao(daoId);
      const after = changed(before.policy, options, coin);
      const changes = policyDiff(before.policy, after);
      const lines = changes.map((change) => explainChange(change, wordsIn(coin)));
      if (changes.length === 0) {
        runtime.terminal.result({ changed: false, changes, dao: before }, ['nothing changes']);
        return;
      }
      if (options.yes !== true) {
        for (const line of lines) runtime.terminal.remark(line);
        if (!(await runtime.terminal.confirm(`Make this version ${before.policyVersion + 1} of the policy?`))) {
          runtime.terminal.result({ changed: false, changes, dao: before }, ['nothing was changed']);
          return;
        }
      }
      const made = await runtime.client().daos.setPolicy(daoId, before.policyVersion, after);
      runtime.terminal.result({ changed: true, changes, dao: made }, [...lines, `version ${made.policyVersion}`]);
    });
  addMeasurements(dao, open);
};

/** A changed list of code is another appraisal policy: its version counts on, so that no older result counts for it. */
function changed(policy: DaoPolicy, options: SetOptions, coin: ChainInfo['coin']): DaoPolicy {
  const { price, purpose, split, holderSet, threshold, measurement } = options;
  const next = withTermsOf(options, policy);
  const appraisal = { ...next.appraisal, ...(measurement !== undefined && { measurements: measurement }) };
  const draft: DaoPolicy = {
    ...next,
    ...dataRulesOf(options, policy),
    appraisal,
    ...(price !== undefined && { pricePerQuestionUnits: parseCoins(price, coin, 'price') }),
    ...(purpose !== undefined && { purposes: purpose }),
    ...(split !== undefined && { split: splitOf(split) }),
    ...(holderSet !== undefined && { holderSetId: idArgument<HolderSetId>(holderSet, 'holder-set') }),
    ...(threshold !== undefined && { verifierThreshold: integerOf(threshold, 'threshold') }),
  };
  const isAppraisal = ['profiles', 'measurements', 'resultTermMs'];
  const isOther = policyDiff(policy, draft).some(({ field }) => isAppraisal.includes(field));
  return isOther ? withAppraisal(draft, {}) : draft;
}

interface MeasurementOptions {
  readonly byVote?: boolean;
  readonly reason: string;
  readonly key?: string;
}

const addMeasurements: AddCommand = (dao, open) => {
  const measurements = dao.command('measurements').description('code whose runners may get keys');
  measurements
    .command('list')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const { policy } = await runtime.chain().dao(idArgument<DaoId>(id, 'dao'));
      runtime.terminal.result({ measurements: policy.appraisal.measurements }, policy.appraisal.measurements);
    });
  for (const change of ['approve', 'withdraw'] as const) {
    measurements
      .command(change)
      .description(
        change === 'approve' ? 'approve code, by a policy maker' : 'withdraw code, whose runners then stop at once',
      )
      .argument('<dao>')
      .argument('<measurement>', '32 to 64 bytes in lower-case hex')
      .option('--by-vote', 'propose it to the members instead')
      .option('--reason <text>', 'for the vote; only its digest goes to the chain', '')
      .option('--key <text>', 'repeating with the same key never makes a second proposal')
      .action(async (id: string, measurement: string, options: MeasurementOptions, command) => {
        const runtime = open(command);
        if (!/^([0-9a-f]{2}){32,64}$/.test(measurement)) {
          throw refuse('INVALID_ARGUMENT', { field: 'measurement', expected: '32 to 64 bytes in lower-case hex' });
        }
        const { byVote, reason, key = crypto.randomUUID() } = options;
        const about = { daoId: idArgument<DaoId>(id, 'dao'), measurement, change };
        const words = { key, title: `${change} ${measurement}`, description: reason };
        const way = byVote === true ? ({ by: 'proposal', ...words } as const) : ({ by: 'policy' } as const);
        const changing = runtime.client().daos.changeMeasurement(about, way);
        const outcome = await (byVote === true ? underKey(runtime, key, changing) : changing);
        runtime.terminal.result(
          outcome,
          outcome.by === 'proposal'
            ? [`proposal ${outcome.status.proposal.id}`]
            : [`policy version ${outcome.dao.policyVersion}`, ...outcome.dao.policy.appraisal.measurements],
        );
      });
  }
};
