import { assertInvariant, refuse, type TimestampMs } from '@usufruct/kernel';
import {
  LIMITS,
  toWireJson,
  zChainEventData,
  type ChainActionKind,
  type ChainActionPayloads,
  type ChainEventData,
  type ChainInfo,
  type LocalTransaction,
} from '@usufruct/protocol';
import { claimPayout, sweepEpoch } from './claim.js';
import { Draft, type Change, type StateReader } from './collections.js';
import { decideContribution, registerContribution } from './contribution.js';
import { createDao, setPolicy } from './dao.js';
import { createDataset, setAnswerRules } from './dataset.js';
import { objectToEpoch, proposeEpoch, proveEquivocation } from './epoch.js';
import { giveGrant, revokeGrant } from './grant.js';
import { rotateHolderSet, tombstoneHolder } from './holder-rotation.js';
import { anchorTreeHead, createHolderSet } from './holder-set.js';
import { closeJob, expireJob, fundJob } from './job.js';
import { renewLease } from './lease.js';
import { buyLicence } from './licence.js';
import { applyForMembership, decideApplication, setRoles } from './membership.js';
import { assertMoneyConserved, mint, transfer } from './money.js';
import { pauseDao } from './pause.js';
import { settlePrivately } from './private-settlement.js';
import { executeProposal, propose, vote } from './proposal.js';
import { settleReceipt } from './receipt.js';
import type { Room } from './room.js';
import { registerRunner } from './runner.js';
import { tombstoneContribution } from './tombstone.js';

type Handler<K extends ChainActionKind> = (room: Room, action: ChainActionPayloads[K]) => void | Promise<void>;
const HANDLERS: { readonly [K in ChainActionKind]: Handler<K> } = {
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

export interface Applied {
  readonly events: ChainEventData[];
  readonly changes: Change[];
}

/**
 * The state machine: what a transaction does to the state, or the `UsufructError` for which it does nothing. The
 * sender has been authenticated before; time comes in as `nowMs`. Reads the state through `base` and writes nothing
 * to it: the caller stores all changes and events at once. Broken invariants throw a plain error.
 */
export async function apply(
  base: StateReader,
  { sender, actions }: LocalTransaction,
  { chain, nowMs }: { readonly chain: ChainInfo; readonly nowMs: TimestampMs },
): Promise<Applied> {
  if (actions.length === 0 || actions.length > LIMITS.actionsPerTransaction) {
    throw refuse('INVALID_ARGUMENT', { field: 'actions', expected: `1 to ${LIMITS.actionsPerTransaction}` });
  }
  const draft = new Draft(base);
  const events: ChainEventData[] = [];
  const room: Room = { draft, chain, sender, nowMs, emit: (event) => void events.push(event) };
  for (const action of actions) await run(room, action);
  const changes = draft.changes();
  assertMoneyConserved(base, changes, events);
  // An event that readers cannot parse would stop every one of them for good.
  assertInvariant(events.every(isReadable), 'every event parses as the protocol says');
  return { events, changes };
}

const run = <K extends ChainActionKind>(room: Room, action: { readonly kind: K } & ChainActionPayloads[K]) =>
  HANDLERS[action.kind](room, action);

const isReadable = (event: ChainEventData): boolean => zChainEventData.safeParse(JSON.parse(toWireJson(event))).success;
