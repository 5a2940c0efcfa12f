import { EpochStatementBcs, UsageReceiptBcs } from '@usufruct/protocol';
import { call, pure, readSigned, type Builder } from './building.js';
import { objectsOf } from './objects-of.js';

/** With the holder set that the policy names now: the acknowledgements are of its members. */
export const settlePrivately: Builder<'settlePrivately'> = async (building, action) => {
  const { receipt, signature, acknowledgements } = action;
  const { bytes, u8s, byteLists } = pure(building);
  const { job: find, registry, holderSet, clock } = objectsOf(building);
  const { job, dao, daoId, dataset, coin } = find(readSigned(UsageReceiptBcs, receipt, 'receipt').jobId);
  const args = [
    job,
    dao,
    dataset,
    registry(),
    holderSet(await building.holderSetOf(daoId)),
    bytes(receipt),
    bytes(signature),
    u8s(acknowledgements.map(({ member }) => member)),
    byteLists(acknowledgements.map((one) => one.signature)),
    clock(),
  ];
  call(building, 'usage_receipt::settle_privately', args, [coin]);
};

export const proposeEpoch: Builder<'proposeEpoch'> = async (building, action) => {
  const { statement, settlerSignature, signatures } = action;
  const { bytes, u8s, byteLists } = pure(building);
  const { dao: find, registry, holderSet, clock } = objectsOf(building);
  const { daoId } = readSigned(EpochStatementBcs, statement, 'statement');
  const { dao, coin } = find(daoId);
  const args = [
    dao,
    registry(),
    holderSet(await building.holderSetOf(daoId)),
    bytes(statement),
    bytes(settlerSignature),
    u8s(signatures.map(({ member }) => member)),
    byteLists(signatures.map(({ signature }) => signature)),
    clock(),
  ];
  call(building, 'epoch::propose', args, [coin]);
};

/** The holder set is the one that the policy named when the epoch was proposed. */
export const objectToEpoch: Builder<'objectToEpoch'> = async (building, { epochId, member }) => {
  const { epoch: find, holderSet, clock } = objectsOf(building);
  const { epoch, dao, coin } = find(epochId);
  const set = holderSet(await building.holderSetOfEpoch(epochId));
  call(building, 'epoch::object', [epoch, dao, set, pure(building).u8(member), clock()], [coin]);
};

export const proveEquivocation: Builder<'proveEquivocation'> = (building, { epochId, statement, settlerSignature }) => {
  const { bytes } = pure(building);
  const { epoch: find, registry, clock } = objectsOf(building);
  const { epoch, dao, coin } = find(epochId);
  const args = [epoch, dao, registry(), bytes(statement), bytes(settlerSignature), clock()];
  call(building, 'epoch::prove_equivocation', args, [coin]);
};

export const claimPayout: Builder<'claimPayout'> = (building, action) => {
  const { u32, u64, address, addresses } = pure(building);
  const { epoch: find, clock } = objectsOf(building);
  const { epoch, dao, coin } = find(action.epochId);
  const args = [
    epoch,
    dao,
    u32(action.index),
    address(action.account),
    u64(action.amountUnits),
    address(action.salt),
    addresses(action.proof),
    clock(),
  ];
  call(building, 'epoch::claim', args, [coin]);
};

export const sweepEpoch: Builder<'sweepEpoch'> = (building, { epochId }) => {
  const { epoch: find, registry, clock } = objectsOf(building);
  const { epoch, dao, coin } = find(epochId);
  call(building, 'epoch::sweep', [epoch, dao, registry(), clock()], [coin]);
};
