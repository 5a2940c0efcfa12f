import { refuse, type ContributionId } from '@usufruct/kernel';
import { copyAsSource } from '@usufruct/sdk';
import { httpBlobStore } from '@usufruct/walrus';
import { integerOf } from '../arguments.js';
import { copyFolder } from '../copy-folder.js';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';
import { wordsOf } from '../words.js';
import { activityLines, activityOnWire } from './activity-lines.js';
import { addCustody } from './contribution-custody.js';

export const addContribution: AddCommand = (program, open) => {
  const contribution = program.command('contribution').description('what became of a contribution');
  contribution
    .command('show')
    .argument('<contribution>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const view = await runtime.chain().contribution(idArgument<ContributionId>(id, 'contribution'));
      const leases = [...view.parts, view.manifestBlob].map(({ endEpoch }) => endEpoch);
      runtime.terminal.result({ contribution: view }, [
        `${view.id}  ${view.tombstonedAtMs === null ? view.state : 'retired for good'}  by ${view.owner}`,
        `${view.parts.length} parts; the first lease ends in epoch ${Math.min(...leases)}`,
      ]);
    });
  contribution
    .command('activity')
    .description(
      "every request for its key, every refusal, use and payment: from the chain and the key holders' own logs",
    )
    .argument('<contribution>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const contributionId = idArgument<ContributionId>(id, 'contribution');
      const activity = await runtime.client().contributions.activity(contributionId);
      runtime.terminal.result({ activity: activityOnWire(activity) }, activityLines(activity, await wordsOf(runtime)));
    });
  contribution
    .command('tombstone')
    .description('retire it for good, by its owner: no key of it is released again; what was released stays known')
    .argument('<contribution>')
    .option('--yes', 'do not ask')
    .action(async (id: string, { yes }: { yes?: boolean }, command) => {
      const runtime = open(command);
      const contributionId = idArgument<ContributionId>(id, 'contribution');
      const isSure = yes === true || (await runtime.terminal.confirm(`Retire ${contributionId} for good?`));
      const { contributions } = runtime.client();
      const view = await (isSure
        ? contributions.tombstone(contributionId)
        : runtime.chain().contribution(contributionId));
      runtime.terminal.result({ contribution: view }, [isSure ? `${view.id} is retired` : 'nothing was changed']);
    });
  contribution
    .command('renew')
    .description(
      'note on the chain that all leases of its blobs last until a Walrus epoch; paying the store is its own',
    )
    .argument('<contribution>')
    .requiredOption('--end-epoch <n>')
    .action(async (id: string, { endEpoch }: { endEpoch: string }, command) => {
      const runtime = open(command);
      const contributionId = idArgument<ContributionId>(id, 'contribution');
      const view = await runtime.client().contributions.renew(contributionId, integerOf(endEpoch, 'end-epoch'));
      runtime.terminal.result({ contribution: view }, [`${view.id}: leases until epoch ${endEpoch}`]);
    });
  contribution
    .command('storage')
    .description('how long its ciphertext is stored, and whether it could be read of late: the lease keeper says it')
    .argument('<contribution>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const contributionId = idArgument<ContributionId>(id, 'contribution');
      const storage = await runtime.client().contributions.storage(contributionId);
      const { leaseEndEpoch, epoch, level, availability, renewing, notRenewed } = storage;
      runtime.terminal.result({ storage }, [
        `lease until epoch ${leaseEndEpoch}${epoch === null ? '' : `, now epoch ${epoch}`}${level === null ? '' : ` (${level})`}`,
        ...(renewing ? ['the keeper is renewing it'] : []),
        ...(notRenewed === null ? [] : [`the keeper could not renew it: ${notRenewed}`]),
        AVAILABILITY_WORDS[availability],
      ]);
    });
  addCustody(contribution, open);
  contribution
    .command('copy')
    .description(
      'keep an own copy of its ciphertext, to put back what the store loses (contribution repair --copy); nobody can read it',
    )
    .argument('<contribution>')
    .requiredOption('--to <folder>')
    .action(async (id: string, { to }: { to: string }, command) => {
      const runtime = open(command);
      const contributionId = idArgument<ContributionId>(id, 'contribution');
      const copied = await runtime.client().contributions.copy({ contributionId, keep: copyFolder(to).keep });
      runtime.terminal.result({ copied }, [`${copied.names.length} files, ${copied.sizeBytes} bytes in ${to}`]);
    });
  contribution
    .command('repair')
    .description(
      'put back into the store what it has lost, by its owner: the same ciphertext, from a copy or from other aggregators',
    )
    .argument('<contribution>')
    .option('--copy <folder>', 'an own copy (usufruct contribution copy)')
    .option('--from <url...>', 'aggregators that may have it', [])
    .option('--epochs <n>', 'how long the new leases last')
    .action(async (id: string, { copy, from, epochs }: { copy?: string; from: string[]; epochs?: string }, command) => {
      const runtime = open(command);
      const contributionId = idArgument<ContributionId>(id, 'contribution');
      if (copy === undefined && from.length === 0)
        throw refuse('INVALID_ARGUMENT', { field: 'copy', expected: '--copy or --from' });
      const { publisherUrl } = runtime.endpoints();
      const sources = [
        ...(copy === undefined ? [] : [copyAsSource(copyFolder(copy).read)]),
        ...from.map((aggregatorUrl) => httpBlobStore({ publisherUrl, aggregatorUrl })),
      ];
      const term = epochs === undefined ? {} : { epochs: integerOf(epochs, 'epochs') };
      const repair = await runtime.client().contributions.repair({ contributionId, sources, ...term });
      runtime.terminal.result({ repair }, [
        ...repair.blobs.map(({ blob, state, endEpoch }) => `${blob}: ${state}, lease until epoch ${endEpoch}`),
        repair.complete
          ? 'all of it can be read from the store'
          : 'nobody has the rest: contribute the file again, then retire this contribution',
      ]);
    });
};

const AVAILABILITY_WORDS = {
  unknown: 'not looked at yet',
  readable: 'it could be read at the last look',
  suspected: 'it was not there at the last look',
  lost: 'LOST: no aggregator has it any more. Put it back (usufruct contribution repair), or contribute the file again',
} as const;
