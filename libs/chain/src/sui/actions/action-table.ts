import { refuse } from '@usufruct/kernel';
import { LIMITS, type ChainAction, type ChainActionKind, type ChainActionPayloads } from '@usufruct/protocol';
import type { Builder, Building } from './building.js';
import * as daos from './dao-actions.js';
import * as data from './data-actions.js';
import * as governance from './governance-actions.js';
import * as jobs from './job-actions.js';
import * as lifecycle from './lifecycle-actions.js';
import * as payouts from './payout-actions.js';

/** One row per action; the type says which is missing. */
const BUILDERS: { readonly [K in ChainActionKind]: Builder<K> } = {
  mint: jobs.mint,
  transfer: jobs.transfer,
  createHolderSet: daos.createHolderSet,
  createDao: daos.createDao,
  setPolicy: daos.setPolicy,
  createDataset: data.createDataset,
  registerContribution: data.registerContribution,
  decideContribution: data.decideContribution,
  giveGrant: data.giveGrant,
  revokeGrant: data.revokeGrant,
  registerRunner: daos.registerRunner,
  fundJob: jobs.fundJob,
  settleReceipt: jobs.settleReceipt,
  closeJob: jobs.closeJob,
  expireJob: jobs.expireJob,
  anchorTreeHead: daos.anchorTreeHead,
  applyForMembership: daos.applyForMembership,
  decideApplication: daos.decideApplication,
  setRoles: daos.setRoles,
  pauseDao: daos.pauseDao,
  propose: governance.propose,
  vote: governance.vote,
  executeProposal: governance.executeProposal,
  settlePrivately: payouts.settlePrivately,
  proposeEpoch: payouts.proposeEpoch,
  objectToEpoch: payouts.objectToEpoch,
  proveEquivocation: payouts.proveEquivocation,
  claimPayout: payouts.claimPayout,
  sweepEpoch: payouts.sweepEpoch,
  rotateHolderSet: lifecycle.rotateHolderSet,
  tombstoneHolder: lifecycle.tombstoneHolder,
  tombstoneContribution: lifecycle.tombstoneContribution,
  renewLease: lifecycle.renewLease,
  buyLicence: lifecycle.buyLicence,
  setAnswerRules: data.setAnswerRules,
};

const build = <K extends ChainActionKind>(building: Building, action: { readonly kind: K } & ChainActionPayloads[K]) =>
  BUILDERS[action.kind](building, action);

/**
 * Put the actions into the transaction, in their order: all happen, or none. What an action makes can be used by a later
 * one of the same transaction only where it is part of an object that is there already (a contribution and its grant).
 */
export async function buildActions(building: Building, actions: readonly ChainAction[]): Promise<void> {
  if (actions.length === 0 || actions.length > LIMITS.actionsPerTransaction) {
    throw refuse('INVALID_ARGUMENT', { field: 'actions', expected: `1 to ${LIMITS.actionsPerTransaction}` });
  }
  for (const action of actions) await build(building, action);
}
