import { bcs } from '@mysten/bcs';
import { bytes32, HolderRotationBcs } from '@usufruct/protocol';
import { call, longList, pure, readSigned, type Builder } from './building.js';
import { objectsOf } from './objects-of.js';

export const rotateHolderSet: Builder<'rotateHolderSet'> = (building, { rotation, signatures }) => {
  const { bytes, u8s, byteLists } = pure(building);
  const { registry, holderSet } = objectsOf(building);
  call(building, 'holder_set::rotate', [
    holderSet(readSigned(HolderRotationBcs, rotation, 'rotation').holderSetId),
    registry(),
    bytes(rotation),
    u8s(signatures.map(({ member }) => member)),
    byteLists(signatures.map(({ signature }) => signature)),
  ]);
};

export const tombstoneHolder: Builder<'tombstoneHolder'> = (building, { holderSetId, member }) => {
  call(building, 'holder_set::tombstone_member', [
    objectsOf(building).holderSet(holderSetId),
    pure(building).u8(member),
  ]);
};

export const tombstoneContribution: Builder<'tombstoneContribution'> = (building, { contributionId }) => {
  const { contribution, clock } = objectsOf(building);
  const args = [contribution(contributionId).dataset, pure(building).address(contributionId), clock()];
  call(building, 'contribution::tombstone', args);
};

export const renewLease: Builder<'renewLease'> = (building, { contributionId, renewals }) => {
  const { address } = pure(building);
  const { dataset, dao, coin } = objectsOf(building).contribution(contributionId);
  const blobs = renewals.map(({ blob }) => blob);
  const endEpochs = renewals.map(({ endEpoch }) => endEpoch);
  const args = [
    dataset,
    dao,
    address(contributionId),
    longList(building, 'address', bytes32(), blobs, 32),
    longList(building, 'u32', bcs.u32(), endEpochs, 4),
  ];
  call(building, 'contribution::renew_lease', args, [coin]);
};

/** Pays the price that the buyer saw; another one is refused by the contract. */
export const buyLicence: Builder<'buyLicence'> = (building, { salt, offerId, priceUnits }) => {
  const { address } = pure(building);
  const { offer, registry, clock } = objectsOf(building);
  const { dao, dataset, coin } = offer(offerId);
  const payment = building.coin(priceUnits);
  const args = [dao, dataset, registry(), address(salt), address(offerId), payment, clock()];
  call(building, 'licence::buy', args, [coin]);
};
