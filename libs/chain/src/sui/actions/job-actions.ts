import { asAmount, U64_MAX, refuse } from '@usufruct/kernel';
import { UsageReceiptBcs } from '@usufruct/protocol';
import { call, pure, readSigned, type Builder } from './building.js';
import { objectsOf } from './objects-of.js';
import { computation, protection } from './values.js';

/** Coins are Sui's own: this asks nothing of our contracts, and leaves no event of theirs. */
export const transfer: Builder<'transfer'> = (building, { to, amountUnits }) => {
  if (amountUnits === 0n) throw refuse('INVALID_ARGUMENT', { field: 'amountUnits', expected: 'more than zero' });
  building.tx.transferObjects([building.coin(amountUnits)], pure(building).address(to));
};

export const mint: Builder<'mint'> = () => {
  throw refuse('FORBIDDEN', { action: 'mint', reason: 'a real coin has its own issuer' });
};

/** Pays the price of all questions exactly. */
export const fundJob: Builder<'fundJob'> = (building, action) => {
  const { u8, u32, u64, address, string, bytes } = pure(building);
  const { dataset: find, clock } = objectsOf(building);
  const { dao, dataset, coin } = find(action.datasetId);
  const escrowUnits = action.pricePerQuestionUnits * BigInt(action.maxQuestions);
  if (escrowUnits > U64_MAX) throw refuse('INSUFFICIENT_BALANCE', { account: building.sender });
  const args = [
    dao,
    dataset,
    address(action.salt),
    string(action.purpose),
    u8(computation(action.computation)),
    u8(protection(action.protection)),
    u32(action.policyVersion),
    u64(action.pricePerQuestionUnits),
    u32(action.maxQuestions),
    u64(action.termMs),
    bytes(action.clientPublicKey),
    building.coin(asAmount(escrowUnits)),
    clock(),
  ];
  call(building, 'job::fund', args, [coin]);
};

export const settleReceipt: Builder<'settleReceipt'> = (building, { receipt, signature, usesSalt, uses }) => {
  const { address, addresses, bytes, u64s } = pure(building);
  const { job: find, registry, clock } = objectsOf(building);
  const { job, dao, dataset, coin } = find(readSigned(UsageReceiptBcs, receipt, 'receipt').jobId);
  const args = [
    job,
    dao,
    dataset,
    registry(),
    bytes(receipt),
    bytes(signature),
    address(usesSalt),
    addresses(uses.map(({ contributionId }) => contributionId)),
    addresses(uses.map(({ grantId }) => grantId)),
    u64s(uses.map(({ weight }) => weight)),
    clock(),
  ];
  call(building, 'usage_receipt::settle', args, [coin]);
};

export const closeJob: Builder<'closeJob'> = (building, { jobId }) => {
  const { job, coin } = objectsOf(building).job(jobId);
  call(building, 'job::close', [job], [coin]);
};

export const expireJob: Builder<'expireJob'> = (building, { jobId }) => {
  const { job: find, clock } = objectsOf(building);
  const { job, coin } = find(jobId);
  call(building, 'job::expire', [job, clock()], [coin]);
};
