import { refuse, type HolderSetId } from '@usufruct/kernel';
import { zRotationDraft, type ReshareLook, type ResharePlan, type ReshareReport } from '@usufruct/sdk';
import { readJsonFile } from '../files-json.js';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';

interface RotateOptions {
  readonly holder?: string[];
  readonly draft?: string;
  readonly leaveOutAbsent?: boolean;
}

/** For the operators of key holders: whoever of them runs these sees ciphertext and public commitments only. */
export const addHolders: AddCommand = (program, open) => {
  const holders = program
    .command('holders')
    .description('bring the shares of what a holder set holds to its new version, without the contributors');
  holders
    .command('status')
    .description('who answers, what each has shares of, and what is left to be shared again')
    .argument('<holder-set>')
    .option('--holder <url...>', 'key holders beyond the configured ones: new ones, and former ones')
    .action(async (text: string, { holder }: RotateOptions, command) => {
      const runtime = open(command);
      const id = idArgument<HolderSetId>(text, 'holder-set');
      const { look, plan } = await runtime.client().holderSets.lookAtShares(id, holder ?? []);
      runtime.terminal.result({ holderSetId: id, ...summaryOf(look, plan) }, linesOf(look, plan));
    });
  holders
    .command('rotate')
    .description('share everything again for the version that the chain has; can be stopped and repeated, by anybody')
    .argument('<holder-set>')
    .option('--draft <file>', 'first make this signed draft (holder-set draft, sign) the next version')
    .option('--holder <url...>', 'key holders beyond the configured ones: new ones, and former ones')
    .option('--leave-out-absent', 'go on without members that do not answer, if enough others do')
    .action(async (text: string, { holder, draft, leaveOutAbsent }: RotateOptions, command) => {
      const runtime = open(command);
      const { terminal } = runtime;
      const holderSetId = idArgument<HolderSetId>(text, 'holder-set');
      const { holderSets } = runtime.client();
      if (draft !== undefined) await holderSets.rotate(readJsonFile(draft, zRotationDraft, 'rotation file'));
      const report = await holderSets.reshare({
        holderSetId,
        holderUrls: holder ?? [],
        leaveOutAbsent: leaveOutAbsent === true,
        onProgress: ({ manifests, done, waiting }) =>
          terminal.remark(`${done} of ${manifests} shared${waiting > 0 ? `, ${waiting} waiting` : ''}`),
      });
      const isDone = report.done === report.manifests && report.waiting.length === 0;
      terminal.judgement(
        { ...report },
        reportLines(report),
        isDone ? null : refuse('SHARES_INSUFFICIENT', whyNot(report)),
      );
    });
};

const summaryOf = ({ set, holders, absent }: ReshareLook, { done, pending, halfway }: ResharePlan) => ({
  version: set.version,
  threshold: set.threshold,
  members: set.members.length,
  absent,
  holders: holders.map(({ holder, member, isRetired, holdings }) => ({
    url: holder.url,
    signingPublicKey: holder.signingPublicKey,
    member,
    isRetired,
    shares: holdings.size,
    ofThisVersion: [...holdings.values()].filter(({ version }) => version === set.version).length,
  })),
  done: done.length,
  pending: pending.map(({ manifestDigest, contribution, dealers }) => ({
    manifestDigest,
    contributionId: contribution.id,
    dealers: dealers.length,
  })),
  halfway: halfway.length,
});

function linesOf(look: ReshareLook, plan: ResharePlan): string[] {
  const { version, threshold, members, absent, holders } = summaryOf(look, plan);
  return [
    `version ${version}: ${threshold} of ${members}`,
    ...holders.map(
      ({ url, member, shares, ofThisVersion, isRetired }) =>
        `  ${member === null ? 'former holder' : `key holder ${member + 1}`} at ${url}: ` +
        `${shares} shares, ${ofThisVersion} of this version${isRetired ? ', RETIRED' : ''}`,
    ),
    ...absent.map((member) => `  key holder ${member + 1}: no answer`),
    `${plan.done.length} done, ${plan.pending.length} to be shared again`,
  ];
}

function reportLines({ version, manifests, done, absent, waiting, faults, oldSharesLeft }: ReshareReport): string[] {
  return [
    `version ${version}: ${done} of ${manifests} have their shares`,
    ...absent.map((member) => `key holder ${member + 1}: no answer`),
    ...waiting.map(
      ({ manifestDigests, reason, needed, given }) =>
        `${manifestDigests.length} wait: ${reason}, ${given} of ${needed}`,
    ),
    ...faults.map(
      ({ dealer, saidBy, reason, manifestDigest }) =>
        `${dealer ?? 'somebody'}: ${reason}${saidBy === null ? '' : `, says key holder ${saidBy + 1}`}` +
        `${manifestDigest === null ? '' : `, for ${manifestDigest}`}`,
    ),
    ...(oldSharesLeft > 0 ? [`former holders still have ${oldSharesLeft} shares`] : []),
  ];
}

const whyNot = ({ manifests, done, waiting }: ReshareReport): Record<string, string> => ({
  done: `${done} of ${manifests}`,
  waiting: [...new Set(waiting.map(({ reason }) => reason))].join(','),
});
