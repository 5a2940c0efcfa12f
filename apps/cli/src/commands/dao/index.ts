import type { AddCommand } from '../../program.js';
import { addCreate } from './create.js';
import { addMembers } from './members.js';
import { addPolicy } from './policy.js';
import { addProposals } from './proposals.js';
import { addShow } from './show.js';

/** In the order of a DAO's life. */
const COMMANDS: readonly AddCommand[] = [addCreate, addShow, addMembers, addPolicy, addProposals];

export const addDao: AddCommand = (program, open) => {
  const dao = program.command('dao').description('data DAOs: members, policy, proposals, treasury');
  for (const add of COMMANDS) add(dao, open);
};
