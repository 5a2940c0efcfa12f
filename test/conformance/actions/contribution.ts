import type { ContributionId, Digest, Hex32, HolderSetId } from '@usufruct/kernel';
import { deriveId, LIMITS, ROLES, type BlobReference, type ContributionView } from '@usufruct/protocol';
import { saltOf, type Actor, type Play } from '../play/actor.js';
import { OWNERS, word } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { isLivingAsTold, someDataset } from './living.js';
import { holderOf, outsiderOf } from './members.js';
import { DECIDED, RETIRED, retirementFor } from './voting.js';

/** A signed manifest is the manifest, its signature in base64 and their lengths. */
const SIGNED_MANIFEST_BYTES = LIMITS.manifestBytes + 2_048;
const END_EPOCH = 9;

export const registerContribution: Actor = {
  kind: 'registerContribution',
  weight: 3,
  twists: [
    'old policy',
    'other holders',
    'empty manifest',
    'large manifest',
    'no parts',
    'empty part',
    'large part',
    'taken',
    'paused',
    RETIRED,
  ],
  before: { paused: ['pauseDao'], taken: ['registerContribution'], [RETIRED]: DECIDED },
  needs: retirementFor,
  attempt(play, twist) {
    const { ledger, random } = play;
    const dataset = someDataset(play, twist);
    if (dataset === null) return null;
    const { id: datasetId, daoId } = dataset;
    const dao = ledger.read('dao', daoId)!;
    const sender = random.pick(OWNERS);
    const idOf = (salt: Hex32): ContributionId => deriveId<ContributionId>('contribution', datasetId, sender, salt);
    const salt = saltOf(twist === 'taken', (one) => ledger.read('contribution', idOf(one)) !== undefined);
    if (salt === null) return null;
    const { manifestBlob, parts } = blobs({ random }, twist);
    const manifestDigest = word<Digest>('manifest');
    const holderSetId = twist === 'other holders' ? word<HolderSetId>('other holders') : dao.policy.holderSetId;
    const policyDigest = twist === 'old policy' ? word<Digest>('old policy') : dao.policyDigest;
    const call = move.call(
      'stage_data::register_contribution',
      ...[sender, daoId, datasetId, salt, manifestDigest, manifestBlob.blob].map(move.address),
      move.number(manifestBlob.sizeBytes),
      move.number(manifestBlob.endEpoch),
      move.list(parts.map(({ blob }) => move.address(blob))),
      move.list(parts.map(({ sizeBytes }) => move.number(sizeBytes))),
      move.list(parts.map(({ endEpoch }) => move.number(endEpoch))),
      move.address(holderSetId),
      move.address(policyDigest),
    );
    const made = { manifestDigest, manifestBlob, parts, holderSetId, policyDigest };
    return { sender, action: { kind: 'registerContribution', salt, datasetId, ...made }, call };
  },
  refusals: {
    'ALREADY_EXISTS contribution': ['contribution::EIdTaken'],
    DAO_PAUSED: ['data_dao::EPaused'],
    'TOMBSTONED dataset': ['dataset::ETombstoned'],
    POLICY_OUTDATED: ['contribution::EPolicyOutdated'],
    'INVALID_ARGUMENT holderSetId': ['contribution::EWrongHolderSet'],
    'INVALID_ARGUMENT manifestBlob.sizeBytes': ['blob_reference::EBlobSize'],
    'INVALID_ARGUMENT parts': ['contribution::EParts'],
    'INVALID_ARGUMENT parts.N.sizeBytes': ['blob_reference::EBlobSize'],
  },
};

function blobs(
  { random }: Pick<Play, 'random'>,
  twist: string | null,
): { manifestBlob: BlobReference; parts: BlobReference[] } {
  const blob = (name: string, sizeBytes: number): BlobReference => ({
    blob: word(name),
    sizeBytes,
    endEpoch: END_EPOCH,
  });
  const manifestBytes =
    twist === 'empty manifest'
      ? 0
      : twist === 'large manifest'
        ? SIGNED_MANIFEST_BYTES + 1
        : random.pick([1, SIGNED_MANIFEST_BYTES]);
  const partBytes =
    twist === 'empty part' ? 0 : twist === 'large part' ? LIMITS.partBytes + 1 : random.pick([1, LIMITS.partBytes]);
  const count = twist === 'no parts' ? 0 : random.int(1, 3);
  const parts = Array.from({ length: count }, (_, i) => blob(`part ${i}`, i === 0 ? partBytes : 4_096));
  return { manifestBlob: blob('manifest blob', manifestBytes), parts };
}

export const decideContribution: Actor = {
  kind: 'decideContribution',
  weight: 3,
  twists: ['wrong sender', 'unknown', 'decided', 'tombstoned', 'paused', RETIRED],
  before: {
    paused: ['registerContribution', 'pauseDao'],
    decided: ['decideContribution'],
    tombstoned: ['registerContribution', 'tombstoneContribution'],
    [RETIRED]: ['registerContribution', ...DECIDED],
  },
  needs: retirementFor,
  attempt(play, twist) {
    const { ledger, random } = play;
    const isChosen = ({ state, tombstonedAtMs }: ContributionView): boolean =>
      (state === 'proposed') !== (twist === 'decided') && (tombstonedAtMs !== null) === (twist === 'tombstoned');
    const contributions = ledger.all('contribution').filter(({ datasetId }) => isLivingAsTold(play, datasetId, twist));
    const contribution = random.mostly(contributions, isChosen, twist === null ? 0.85 : 1);
    if (contribution === null) return null;
    const { id: datasetId, daoId } = ledger.read('dataset', contribution.datasetId)!;
    const sender = twist === 'wrong sender' ? outsiderOf(play, daoId) : holderOf(play, daoId, ROLES.steward);
    const contributionId = twist === 'unknown' ? word<ContributionId>('unknown') : contribution.id;
    const accept = random.chance(0.85);
    const ids = [sender, daoId, datasetId, contributionId].map(move.address);
    const call = move.call('stage_data::decide_contribution', ...ids, move.flag(accept));
    return { sender, action: { kind: 'decideContribution', contributionId, accept }, call };
  },
  refusals: {
    'NOT_FOUND contribution': ['contribution::ENoContribution'],
    'FORBIDDEN steward': ['data_dao::ERoleRequired'],
    DAO_PAUSED: ['data_dao::EPaused'],
    'TOMBSTONED dataset': ['dataset::ETombstoned'],
    'TOMBSTONED contribution': ['contribution::ETombstoned'],
    ALREADY_DECIDED: ['contribution::EAlreadyDecided'],
  },
};
