import type { ChainActionKind } from '@usufruct/protocol';
import type { Actor } from '../play/actor.js';
import { decideContribution, registerContribution } from './contribution.js';
import { createDao, setPolicy } from './dao.js';
import { createDataset, setAnswerRules } from './dataset.js';
import { objectToEpoch, proveEquivocation } from './epoch-challenge.js';
import { claimPayout, sweepEpoch } from './epoch-claim.js';
import { proposeEpoch } from './epoch.js';
import { giveGrant, revokeGrant } from './grant.js';
import { anchorTreeHead, createHolderSet } from './holder-set.js';
import { closeJob, expireJob, fundJob } from './job.js';
import { renewLease } from './lease.js';
import { buyLicence } from './licence.js';
import { applyForMembership, decideApplication, setRoles } from './membership.js';
import { mint, transfer } from './money.js';
import { pauseDao } from './pause.js';
import { executeProposal } from './execution.js';
import { propose, vote } from './proposal.js';
import { settlePrivately, settleReceipt } from './receipt.js';
import { rotateHolderSet } from './rotation.js';
import { registerRunner } from './runner.js';
import { tombstoneContribution, tombstoneHolder } from './tombstone.js';

/** Who plays each action. */
const BY_KIND: { readonly [K in ChainActionKind]: Actor } = {
  mint,
  transfer,
  createHolderSet,
  createDao,
  setPolicy,
  createDataset,
  registerContribution,
  decideContribution,
  giveGrant,
  revokeGrant,
  registerRunner,
  fundJob,
  settleReceipt,
  closeJob,
  expireJob,
  anchorTreeHead,
  applyForMembership,
  decideApplication,
  setRoles,
  pauseDao,
  propose,
  vote,
  executeProposal,
  settlePrivately,
  proposeEpoch,
  objectToEpoch,
  proveEquivocation,
  claimPayout,
  sweepEpoch,
  rotateHolderSet,
  tombstoneHolder,
  tombstoneContribution,
  renewLease,
  buyLicence,
  setAnswerRules,
};

export const ACTORS: readonly Actor[] = Object.values(BY_KIND);
/** Refusals of the ledger that no table has, and why. */
export const UNREACHED: readonly (readonly [what: string, why: string])[] = [
  ['mint and transfer refused', 'on Sui no contract of ours has a say in them'],
  ['an object that does not exist', 'a Sui transaction cannot name one, so such steps name another one'],
  ['the 10001st contribution of a dataset', 'no scenario is that long; a unit test of the contracts has a full one'],
  [
    'proveEquivocation against a runner that is withdrawn',
    'two epochs of a DAO are never challengeable at the same time',
  ],
];

export const actorOf = (kind: ChainActionKind): Actor => BY_KIND[kind];
