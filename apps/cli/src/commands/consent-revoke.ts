import { purposeLabel } from '@usufruct/consent';
import { refuse, type ContributionId, type DatasetId, type GrantId } from '@usufruct/kernel';
import type { RevocationPlan, RevocationScope } from '@usufruct/sdk';
import type { Command } from 'commander';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';

interface RevokeOptions {
  readonly purpose?: string;
  readonly contribution?: string;
  readonly dataset?: string;
  readonly all?: boolean;
  readonly plan?: boolean;
  readonly yes?: boolean;
}

/** `usufruct consent revoke GRANT`, or by purpose, contribution, dataset, or all of the wallet's. */
export function addConsentRevoke(consent: Command, open: Parameters<AddCommand>[1]): void {
  consent
    .command('revoke')
    .description('stop the next release of the key; what was released before cannot be recalled')
    .argument('[grant]', 'this grant alone')
    .option('--purpose <code>', 'only this purpose; grants that name others are replaced by narrower ones')
    .option('--contribution <id>', 'every grant of this contribution')
    .option('--dataset <id>', 'every grant of what you contributed to this dataset')
    .option('--all', 'every grant that you ever gave')
    .option('--plan', 'only say what would be signed')
    .option('--yes', 'do not ask')
    .action(async (id: string | undefined, options: RevokeOptions, command: Command) => {
      const runtime = open(command);
      const { grants } = runtime.client();
      const scope = scopeOf(options);
      if (id !== undefined) {
        if (scope !== null || options.plan === true) {
          throw refuse('INVALID_ARGUMENT', { field: 'grant', expected: 'a grant, or options that name several' });
        }
        const grant = await grants.revoke(idArgument<GrantId>(id, 'grant'));
        return runtime.terminal.result({ grantId: grant.id, grant }, [`grant ${grant.id} is revoked`]);
      }
      if (scope === null) {
        throw refuse('INVALID_ARGUMENT', { field: 'grant', expected: 'a grant, --contribution, --dataset or --all' });
      }
      const plan = await grants.planRevocation(scope);
      if (options.plan === true || plan.steps.length === 0) return runtime.terminal.result({ plan }, planLines(plan));
      if (options.yes !== true) {
        for (const line of planLines(plan)) runtime.terminal.remark(line);
        if (!(await runtime.terminal.confirm('Sign this?'))) {
          return runtime.terminal.result({ plan, revoked: [], given: [], skipped: [] }, ['nothing was changed']);
        }
      }
      const done = await grants.revokeByPlan(plan);
      runtime.terminal.result({ plan, ...done }, [
        ...done.revoked.map((grantId) => `grant ${grantId} is revoked`),
        ...done.given.map(({ id: grantId, terms }) => `grant ${grantId} given for ${purposesOf(terms)}`),
        ...done.skipped.map((grantId) => `grant ${grantId} had been revoked already; nothing is given in its place`),
      ]);
    });
}

/** A purpose alone would be everywhere: that is said with --all. */
function scopeOf({ purpose, contribution, dataset, all }: RevokeOptions): RevocationScope | null {
  if (contribution === undefined && dataset === undefined && all !== true) {
    if (purpose === undefined) return null;
    throw refuse('INVALID_ARGUMENT', { field: 'purpose', expected: 'with --contribution, --dataset or --all' });
  }
  if (all === true && (contribution !== undefined || dataset !== undefined)) {
    throw refuse('INVALID_ARGUMENT', { field: 'all', expected: 'without --contribution and --dataset' });
  }
  return {
    ...(contribution !== undefined && { contributionId: idArgument<ContributionId>(contribution, 'contribution') }),
    ...(dataset !== undefined && { datasetId: idArgument<DatasetId>(dataset, 'dataset') }),
    ...(purpose !== undefined && { purpose }),
  };
}

const purposesOf = ({ purposes }: { readonly purposes: readonly string[] }): string =>
  purposes.map((code) => `${purposeLabel(code)} (${code})`).join(', ');

function planLines({ steps, transactions }: RevocationPlan): string[] {
  if (steps.length === 0) return ['nothing of this is allowed'];
  const lines = steps.flatMap(({ grantId, contributionId, before, after }) => [
    `revoke grant ${grantId} of ${contributionId}: ${purposesOf(before)}`,
    ...(after === null ? [] : [`  and give in the same transaction: ${purposesOf(after)}`]),
  ]);
  return [...lines, `${transactions} transaction${transactions === 1 ? '' : 's'} to sign`];
}
