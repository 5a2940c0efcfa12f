import {
  asBlobId,
  asId,
  fromBase64Url,
  fromHex,
  refuse,
  toBase64Url,
  toHex32,
  type Address,
  type BlobId,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Hex32,
} from '@usufruct/kernel';
import { hasRole, type ContributionView, type DaoView, type DatasetView, type MemberView } from '@usufruct/protocol';
import { localLeases } from './local-leases.js';
import { localObjects, type LocalObject, type LocalObjectsOptions } from './local-objects.js';

/** What the rules are looked up in; the chain port has it. */
export interface LocalCustodyRules {
  contribution(id: ContributionId): Promise<ContributionView>;
  dataset(id: DatasetId): Promise<DatasetView>;
  dao(id: DaoId): Promise<DaoView>;
  member(daoId: DaoId, address: Address): Promise<MemberView | null>;
}

export interface LocalCustodyOptions extends LocalObjectsOptions {
  readonly chain: LocalCustodyRules;
  /** The wallet. */
  readonly owner: Address;
}

interface Name {
  readonly contributionId: ContributionId;
  readonly blob: Hex32;
}

/**
 * Custody where no chain knows `Blob` objects: the local store gives an object to an owner that stands for the
 * contribution's place in its dataset. The rules of `blob_custody.move` are looked at here before the store is asked, and
 * nothing enforces them: a stand-in, as the store's other owners are. Nothing is signed, so nothing needs to be
 * remembered; each call does what there is left to do. The end of a lease that was made longer is noted on the chain by
 * the caller. Refuses as the chain's custody does.
 */
export function localCustody(options: LocalCustodyOptions) {
  const { chain, owner } = options;
  const { ask, list, readOne } = localObjects(options);
  const find = async ({ contributionId, blob }: Name): Promise<LocalObject | null> =>
    (await list(custodianOf(contributionId), blobIdOf(blob)))[0] ?? null;
  const give = async ({ id }: Pick<LocalObject, 'id'>, from: Address, to: Address): Promise<void> => {
    const body = JSON.stringify({ owner: from, to });
    const answer = await ask(`/v1/local/objects/${id}/transfer`, {}, { method: 'POST', body });
    if (answer.status === 403) throw refuse('FORBIDDEN', { objectId: id });
    if (answer.status === 404) throw refuse('NOT_FOUND', { object: 'Blob object' });
    await readOne(answer);
  };
  const ownersContribution = async (id: ContributionId): Promise<ContributionView> => {
    const contribution = await chain.contribution(id);
    if (contribution.owner !== owner) throw refuse('FORBIDDEN', { reason: 'not the owner of the contribution' });
    return contribution;
  };
  return {
    owned: async () => (await list(owner)).map(blobObject),
    async held(contributionId: ContributionId, blobs: readonly Hex32[]) {
      const found = (await list(custodianOf(contributionId))).map(blobObject);
      return blobs.map((blob) => found.find((one) => one.blob === blob) ?? null);
    },
    async put(name: Name, objectId: Hex32): Promise<void> {
      const contribution = await ownersContribution(name.contributionId);
      const held = await find(name);
      if (held?.id === objectId) return;
      if (held !== null) throw refuse('ALREADY_EXISTS', { object: 'blob in custody' });
      const answer = await ask(`/v1/local/objects/${objectId}`);
      if (answer.status === 404) throw refuse('NOT_FOUND', { object: 'Blob object' });
      const object = await readOne(answer);
      const named = [...contribution.parts, contribution.manifestBlob].some(({ blob }) => blob === name.blob);
      if (!named || object.blobId !== blobIdOf(name.blob)) throw refuse('INVALID_ARGUMENT', { field: 'blob' });
      await requireLifetime(chain, contribution, object);
      await give(object, owner, custodianOf(name.contributionId));
    },
    async renew(name: Name, endEpoch: number): Promise<{ readonly endEpoch: number }> {
      const { owner: keeper, datasetId, tombstonedAtMs } = await chain.contribution(name.contributionId);
      const { daoId, ...dataset } = await chain.dataset(datasetId);
      if (tombstonedAtMs !== null || dataset.tombstonedAtMs !== null) throw refuse('TOMBSTONED');
      if (keeper !== owner && !hasRole(await chain.member(daoId, owner), 'steward'))
        throw refuse('FORBIDDEN', { reason: 'neither the owner nor a steward' });
      const held = await find(name);
      if (held === null) throw refuse('NOT_FOUND', { object: 'blob in custody' });
      const leases = localLeases({ ...options, owner: custodianOf(name.contributionId) });
      return leases.extend({ blobId: asBlobId(held.blobId), objectId: held.id }, endEpoch);
    },
    async withdraw(name: Name, { isDeleted }: { readonly isDeleted: boolean }): Promise<void> {
      const contribution = await ownersContribution(name.contributionId);
      const held = await find(name);
      if (held === null) return;
      const { tombstonedAtMs } = await chain.dataset(contribution.datasetId);
      const isOver =
        contribution.state === 'declined' || contribution.tombstonedAtMs !== null || tombstonedAtMs !== null;
      if (!isOver) throw refuse('FORBIDDEN', { reason: 'the contribution is in use' });
      const custodian = custodianOf(name.contributionId);
      if (!isDeleted || !held.deletable) return give(held, custodian, owner);
      await localLeases({ ...options, owner: custodian }).delete({ blobId: asBlobId(held.blobId), objectId: held.id });
    },
  };
}

/** By the policy of the contribution; what an earlier one said, which the contract notes, no view of the chain says. */
async function requireLifetime(
  chain: LocalCustodyRules,
  { datasetId, policyDigest }: ContributionView,
  { deletable }: LocalObject,
): Promise<void> {
  const dao = await chain.dao((await chain.dataset(datasetId)).daoId);
  if (dao.policyDigest === policyDigest && deletable !== (dao.policy.blobs === 'deletable'))
    throw refuse('INVALID_ARGUMENT', { field: 'object', expected: 'deletable as its policy says' });
}

/** No wallet's: its own id. */
const custodianOf = (contributionId: ContributionId): Address => asId<Address>(contributionId, 'contributionId');

const blobIdOf = (blob: Hex32): BlobId => asBlobId(toBase64Url(fromHex(blob)));

const blobObject = ({ id, blobId, size, certifiedEpoch, storage, deletable }: LocalObject) => ({
  objectId: id,
  blob: toHex32<Hex32>(fromBase64Url(blobId, 'blobId')),
  sizeBytes: size,
  endEpoch: storage.endEpoch,
  deletable,
  certified: certifiedEpoch !== null,
});
