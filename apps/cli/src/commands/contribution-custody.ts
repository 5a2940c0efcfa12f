import type { ContributionId } from '@usufruct/kernel';
import type { BlobWhereabouts } from '@usufruct/sdk';
import type { Command } from 'commander';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';

/** `usufruct contribution custody …`. */
export function addCustody(contribution: Command, open: Parameters<AddCommand>[1]): void {
  const custody = contribution
    .command('custody')
    .description('who keeps its Blob objects, which extend and end its leases: its owner, or its dataset for the DAO');
  custody
    .command('status')
    .argument('<contribution>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const blobs = await runtime.client().contributions.custody(idArgument<ContributionId>(id, 'contribution'));
      runtime.terminal.result({ blobs }, blobs.map(lineOf));
    });
  custody
    .command('put')
    .description(
      'give the objects that your wallet owns to the dataset: stewards renew the leases, and nobody deletes the ciphertext while it is in use',
    )
    .argument('<contribution>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const { contributions } = runtime.client();
      const blobs = await contributions.putInCustody(idArgument<ContributionId>(id, 'contribution'));
      runtime.terminal.result({ blobs }, blobs.map(lineOf));
    });
  custody
    .command('withdraw')
    .description('take them back for good, once the contribution is declined or retired; erase does it by itself')
    .argument('<contribution>')
    .option('--delete', 'delete the blobs on the way, where they were stored so that they can be')
    .option('--yes', 'do not ask')
    .action(async (id: string, options: { delete?: boolean; yes?: boolean }, command) => {
      const runtime = open(command);
      const contributionId = idArgument<ContributionId>(id, 'contribution');
      const isDeleted = options.delete === true;
      const isSure = !isDeleted || options.yes === true || (await runtime.terminal.confirm('Delete them for good?'));
      if (!isSure) return runtime.terminal.result({ withdrawn: false }, ['nothing was changed']);
      const blobs = await runtime.client().contributions.withdrawFromCustody(contributionId, { isDeleted });
      runtime.terminal.result({ blobs }, blobs.map(lineOf));
    });
}

function lineOf({ blob, role, where, object }: BlobWhereabouts): string {
  const lease = object === null ? '' : `, lease until epoch ${object.endEpoch}`;
  return `${role} ${blob}: ${WHERE_WORDS[where]}${lease}`;
}

const WHERE_WORDS = {
  custody: 'in custody of its dataset',
  wallet: 'in your wallet',
  elsewhere: 'neither in custody nor in your wallet',
} as const;
