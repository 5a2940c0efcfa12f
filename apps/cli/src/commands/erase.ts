import { refuse, type ContributionId } from '@usufruct/kernel';
import { zErasureReceipt, type ErasurePart, type ErasureReceipt } from '@usufruct/protocol';
import { backupsUntil, erasureRemainsWords, judgeErasure, NOT_ERASED_WORDS, type ErasurePlan } from '@usufruct/sdk';
import type { Command } from 'commander';
import { readJsonFile, writeJsonFile } from '../files-json.js';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';
import { checkLines, sayReceiptVerdict } from '../verdict.js';
import { timeOf } from '../words.js';

interface EraseOptions {
  readonly out?: string;
  readonly yes?: boolean;
  readonly plan?: boolean;
}

/** `usufruct erase CONTRIBUTION` and `usufruct erase verify FILE`. */
export const addErase: AddCommand = (program, open) => {
  const command = program
    .command('erase')
    .description('retire a contribution for good and have every key holder destroy its share; repeat it for those away')
    .argument('<contribution>')
    .option('--plan', 'only say what would be done, and what cannot be undone')
    .option('--out <file>', 'write the signed erasure receipt there')
    .option('--yes', 'do not ask')
    .action(async (id: string, options: EraseOptions, self: Command) => {
      const runtime = open(self);
      const contributionId = idArgument<ContributionId>(id, 'contribution');
      const { contributions } = runtime.client();
      const plan = await contributions.planErasure(contributionId);
      if (options.plan === true) return runtime.terminal.result({ plan }, planLines(plan));
      if (options.yes !== true) {
        for (const line of planLines(plan)) runtime.terminal.remark(line);
        if (!(await runtime.terminal.confirm(`Erase ${contributionId} for good?`))) {
          return runtime.terminal.result({ erased: false }, ['nothing was changed']);
        }
      }
      const { receipt, verdict } = await contributions.erase(contributionId);
      if (options.out !== undefined) writeJsonFile(options.out, receipt);
      const missing = receipt.holders.filter(({ state }) => state === 'missing').length;
      const lines = [...receiptLines(receipt), ...checkLines(verdict.checks)];
      const refusal = verdict.ok
        ? null
        : refuse('UPSTREAM_UNAVAILABLE', { upstream: 'key holders', missing: String(missing) });
      runtime.terminal.judgement({ erased: verdict.ok, receipt, checks: verdict.checks }, lines, refusal);
    });
  command
    .command('verify')
    .description('judge an erasure receipt from a file, without any network; --online compares with the chain')
    .argument('<file>', 'written by erase --out')
    .option('--online')
    .action(async (path: string, { online }: { online?: boolean }, self: Command) => {
      const runtime = open(self);
      const receipt = readJsonFile(path, zErasureReceipt, 'erasure receipt');
      const verdict =
        online === true
          ? await runtime.client().contributions.verifyErasure(receipt)
          : await judgeErasure(receipt, null);
      for (const line of receiptLines(receipt)) runtime.terminal.remark(line);
      sayReceiptVerdict(runtime.terminal, verdict);
    });
};

function planLines({ contribution, isRetired, holderSet, inReach, blobs, lastEndEpoch, notErased }: ErasurePlan) {
  const away = inReach.filter((isInReach) => !isInReach).length;
  return [
    isRetired
      ? `${contribution.id} is retired already`
      : `your wallet retires ${contribution.id} on the chain, for good`,
    `${holderSet.members.length} key holders destroy their shares; ${away} of them are away now and are asked again later`,
    `${blobs} encrypted blobs lie in the store, unreadable, until epoch ${lastEndEpoch}`,
    'what cannot be undone:',
    ...notErased.map((name) => `  ${NOT_ERASED_WORDS[name]}`),
  ];
}

function receiptLines(receipt: ErasureReceipt): string[] {
  const { holders, runners, blobs, tombstonedAtMs, notErased } = receipt;
  const remains = erasureRemainsWords(receipt);
  return [
    `retired on the chain at ${timeOf(tombstonedAtMs)}`,
    ...holders.map(({ state, error }, i) => `key holder ${i + 1}: ${state}${error === null ? '' : ` (${error})`}`),
    ...backupLines(holders),
    ...runners.map(({ state }, i) => `runner ${i + 1}: ${state}`),
    ...blobs.map(({ blob, role, state, endEpoch }) => `${role} ${blob}: ${state}, lease until epoch ${endEpoch}`),
    ...(remains.length === 0 ? [] : ['what remains to be done:', ...remains.map((words) => `  ${words}`)]),
    'what cannot be undone:',
    ...notErased.map((name) => `  ${NOT_ERASED_WORDS[name]}`),
  ];
}

/** What each holder that has signed says of its backups; a plan cannot know it. */
const backupLines = (holders: readonly ErasurePart[]): string[] =>
  holders.flatMap((part, i) => {
    const untilMs = backupsUntil(part);
    if (untilMs === null) return [];
    const what = untilMs === 0 ? 'none that can be opened' : `can be opened until ${timeOf(untilMs)}`;
    return [`backups of key holder ${i + 1} that may have it: ${what}`];
  });
