import type { ChainActionKind } from '@usufruct/protocol';
import type { Actor } from '../play/actor.js';
import { decideContribution, registerContribution } from './contribution.js';
import { createDao, setPolicy } from './dao.js';
import { createDataset } from './dataset.js';
import { giveGrant, revokeGrant } from './grant.js';
import { anchorTreeHead, createHolderSet } from './holder-set.js';
import { closeJob, expireJob, fundJob } from './job.js';
import { mint, transfer } from './money.js';
import { pauseDao } from './pause.js';
import { settleReceipt } from './receipt.js';
import { registerRunner } from './runner.js';

export const ACTORS: readonly Actor[] = [
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
  pauseDao,
];

/** Actions that scenarios leave out, and why. */
export const NOT_PLAYED: Readonly<Partial<Record<ChainActionKind, string>>> = {};

export function actorOf(kind: ChainActionKind): Actor {
  const actor = ACTORS.find((one) => one.kind === kind);
  if (actor === undefined) throw new RangeError(`nobody plays ${kind}`);
  return actor;
}
