import type { Address, DaoId } from '@usufruct/kernel';
import { refuse } from '@usufruct/kernel';
import { ROLE_NAMES, rolesOf, type RoleName } from '@usufruct/protocol';
import { roleWords } from '@usufruct/sdk';
import type { AddCommand } from '../../program.js';
import { idArgument } from '../../runtime.js';
import { orNone, quoted, saidBy, wordsOf } from '../../words.js';

export const addMembers: AddCommand = (dao, open) => {
  dao
    .command('apply')
    .description('ask to become a member; applying again changes nothing')
    .argument('<dao>')
    .option('--statement <text>', 'what you tell the DAO; only its digest goes to the chain', '')
    .action(async (id: string, { statement }: { statement: string }, command) => {
      const runtime = open(command);
      const membership = await runtime.client().members.apply(idArgument<DaoId>(id, 'dao'), statement);
      const said = membership.state === 'member' ? 'you are a member' : 'a steward decides on your application';
      runtime.terminal.result({ membership }, [said]);
    });
  dao
    .command('applications')
    .description('who waits for a decision')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const daoId = idArgument<DaoId>(id, 'dao');
      const { members } = runtime.client();
      const waiting = await members.applications(daoId);
      const said = await saidBy(runtime, members.statements(daoId, waiting));
      const applications = waiting.map((each) => ({ ...each, statement: said.get(each.applicant) ?? null }));
      const lines = applications.map(
        ({ applicant, statement, statementHash }) =>
          `${applicant}  ${statement === null ? `statement ${statementHash}` : quoted(statement)}`,
      );
      runtime.terminal.result({ applications }, orNone(lines));
    });
  for (const decision of ['accept', 'decline'] as const) {
    dao
      .command(decision)
      .description(`${decision} an application, by a steward`)
      .argument('<dao>')
      .argument('<address>')
      .action(async (id: string, address: string, _options, command) => {
        const runtime = open(command);
        const applicant = idArgument<Address>(address, 'address');
        const accept = decision === 'accept';
        const membership = await runtime.client().members.decide(idArgument<DaoId>(id, 'dao'), applicant, accept);
        runtime.terminal.result({ membership }, [`${applicant} ${accept ? 'is a member' : 'was declined'}`]);
      });
  }
  dao
    .command('members')
    .description('every member with roles and what it earned, in order of joining')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const members = await runtime.client().members.list(idArgument<DaoId>(id, 'dao'));
      const words = await wordsOf(runtime);
      const lines = members.map(
        ({ address, roles, earnedUnits }) =>
          `${address}  ${roleWords(roles)}${earnedUnits === 0n ? '' : `  earned ${words.amount(earnedUnits)}`}`,
      );
      runtime.terminal.result({ members }, lines);
    });
  dao
    .command('roles')
    .description('set what a member may do, by an administrator; the last administrator stays one')
    .argument('<dao>')
    .argument('<address>')
    .argument('<roles>', `of ${ROLE_NAMES.join(', ')}, with commas between; or none`)
    .action(async (id: string, address: string, roles: string, _options, command) => {
      const runtime = open(command);
      const member = idArgument<Address>(address, 'address');
      const set = await runtime.client().members.setRoles(idArgument<DaoId>(id, 'dao'), member, parseRoles(roles));
      runtime.terminal.result({ member: set }, [`${set.address}  ${roleWords(set.roles)}`]);
    });
  dao
    .command('pause')
    .description('stop everything but refunds and governance; only a vote ends it')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const paused = await runtime.client().daos.pause(idArgument<DaoId>(id, 'dao'));
      runtime.terminal.result({ dao: paused }, [`DAO ${paused.id} is paused; usufruct dao propose unpause ends it`]);
    });
};

/** `administrator,steward` as a sum of roles; `none` is 0. */
export function parseRoles(text: string): number {
  if (text === 'none') return 0;
  const names = text.split(',');
  const isRole = (name: string): name is RoleName => ROLE_NAMES.some((known) => known === name);
  if (!names.every(isRole)) throw refuse('INVALID_ARGUMENT', { field: 'roles', expected: ROLE_NAMES.join(', ') });
  return rolesOf(names);
}
