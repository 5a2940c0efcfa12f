import { HolderRotationBcs } from '@usufruct/protocol';
import { call, pure, readSigned, type Builder } from './building.js';
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
