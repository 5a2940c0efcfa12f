import { refuse, type DaoId, type ProposalId } from '@usufruct/kernel';
import { policyAfter, policyDiff, VOTE_CHOICES, type Metadata, type VoteChoice } from '@usufruct/protocol';
import {
  effectTitle,
  explainChange,
  explainEffect,
  explainStatus,
  type ProposalStatus,
  type Words,
} from '@usufruct/sdk';
import type { AddCommand } from '../../program.js';
import { idArgument } from '../../runtime.js';
import { orNone, quoted, saidBy, underKey, wordsIn, wordsOf } from '../../words.js';
import { EFFECT_COMMANDS, type EffectCommand } from './effects.js';

interface ProposeOptions {
  readonly title?: string;
  readonly reason: string;
  readonly key?: string;
}

export const addProposals: AddCommand = (dao, open) => {
  const propose = dao.command('propose').description('ask the members for one decision; voting begins at once');
  for (const entry of EFFECT_COMMANDS) addPropose(entry)(propose, open);
  dao
    .command('proposals')
    .description('every proposal, newest first, where it stands and what comes next')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const daoId = idArgument<DaoId>(id, 'dao');
      const client = runtime.client();
      const statuses = await client.proposals.list(daoId);
      const said = await saidBy(runtime, client.proposals.words(daoId, statuses));
      const proposals = statuses.map((status) => ({ ...status, words: said.get(status.proposal.id) ?? null }));
      const words = await wordsOf(runtime);
      const lines = proposals.flatMap((status) => [...statusLines(status, words), ...reasonLines(status.words), '']);
      runtime.terminal.result({ proposals }, orNone(lines));
    });
  dao
    .command('proposal')
    .description('one proposal, and what it would change in the policy of now')
    .argument('<proposal>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const status = await runtime.client().proposals.status(idArgument<ProposalId>(id, 'proposal'));
      const { policy } = await runtime.chain().dao(status.proposal.daoId);
      const after = policyAfter(policy, status.proposal.effect);
      const changes = after === null || status.state === 'executed' ? [] : policyDiff(policy, after);
      const words = await wordsOf(runtime);
      const lines = changes.map((change) => explainChange(change, words));
      runtime.terminal.result({ ...status, changes }, [...statusLines(status, words), ...lines]);
    });
  dao
    .command('vote')
    .description('once and for good, by a member of the time when the proposal was made')
    .argument('<proposal>')
    .argument('<choice>', VOTE_CHOICES.join(', '))
    .action(async (id: string, choice: string, _options, command) => {
      const runtime = open(command);
      const status = await runtime.client().proposals.vote(idArgument<ProposalId>(id, 'proposal'), choiceOf(choice));
      runtime.terminal.result(status, statusLines(status, await wordsOf(runtime)));
    });
  dao
    .command('execute')
    .description('do what was passed, by anyone, after the timelock')
    .argument('<proposal>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const status = await runtime.client().proposals.execute(idArgument<ProposalId>(id, 'proposal'));
      runtime.terminal.result(status, statusLines(status, await wordsOf(runtime)));
    });
};

/** `usufruct dao propose <name> <dao> …` for one kind of effect. */
const addPropose =
  ({ name, about, args, withOptions, effect }: EffectCommand): AddCommand =>
  (propose, open) => {
    const command = propose.command(name).description(about).argument('<dao>');
    for (const arg of args) command.argument(arg);
    (withOptions?.(command) ?? command)
      .option('--title <text>', 'default: what it does, in a sentence')
      .option('--reason <text>', 'only the digest of title and reason goes to the chain', '')
      .option('--key <text>', 'repeating with the same key never makes a second proposal')
      .action(async (id: string, ...rest: unknown[]) => {
        const runtime = open(command);
        const { coin } = await runtime.chain().info();
        const view = await runtime.chain().dao(idArgument<DaoId>(id, 'dao'));
        const options = command.opts<ProposeOptions>();
        const text = (position: number): string => String(rest[position]);
        const list = (position: number): string[] => [rest[position]].flat().map(String);
        const made = effect({ dao: view, coin, text, list, options });
        const words = wordsIn(coin);
        const { title = effectTitle(made, words), reason, key = crypto.randomUUID() } = options;
        const params = { key, daoId: view.id, effect: made, title, description: reason };
        const status = await underKey(runtime, key, runtime.client().proposals.propose(params));
        runtime.terminal.result({ proposalId: status.proposal.id, ...status }, statusLines(status, words));
      });
  };

function statusLines(status: ProposalStatus, words: Words): string[] {
  const { proposal } = status;
  return [
    `proposal ${proposal.number}: ${proposal.id} (${status.state})`,
    ...explainEffect(proposal.effect, words).map((line) => `  ${line}`),
    ...explainStatus(status, words).map((line) => `  ${line}`),
  ];
}

function reasonLines(said: Metadata | null): string[] {
  if (said === null) return [];
  return [
    `  the proposer says: ${[said.title, said.description]
      .filter((text) => text !== '')
      .map(quoted)
      .join(' ')}`,
  ];
}

function choiceOf(text: string): VoteChoice {
  const choice = VOTE_CHOICES.find((known) => known === text);
  if (choice === undefined) throw refuse('INVALID_ARGUMENT', { field: 'choice', expected: VOTE_CHOICES.join(', ') });
  return choice;
}
