import { refuse } from '@usufruct/kernel';
import { LIMITS, type BlobReference, type ChainActionPayloads, type LeaseRenewal } from '@usufruct/protocol';
import { requireInteger } from './guards.js';
import { requireHeld } from './membership.js';
import { mustFind, type Room } from './room.js';
import { requireLiving } from './tombstone.js';

/**
 * By its owner or a steward, once the leases on Walrus are longer. The chain cannot see whether that is so; who reads
 * the blobs finds out. A pause does not stop it: leases run out.
 */
export function renewLease(room: Room, { contributionId, renewals }: ChainActionPayloads['renewLease']): void {
  const contribution = mustFind(room, 'contribution', contributionId);
  const dataset = mustFind(room, 'dataset', contribution.datasetId);
  requireLiving(dataset);
  if (room.sender !== contribution.owner) requireHeld(room, dataset.daoId, 'steward');
  requireLiving(contribution);
  // The parts and the manifest.
  requireInteger(renewals.length, 1, LIMITS.partsPerContribution + 1, 'renewals');
  let { manifestBlob, parts } = contribution;
  for (const [index, renewal] of renewals.entries()) {
    requireOnce(renewals, index);
    if (![manifestBlob, ...parts].some(({ blob }) => blob === renewal.blob)) throw unknown(index);
    manifestBlob = renewed(manifestBlob, renewal, index);
    parts = parts.map((part) => renewed(part, renewal, index));
  }
  room.draft.write('contribution', contributionId, { ...contribution, manifestBlob, parts });
  room.emit({ type: 'LeaseRenewed', contributionId, renewals: renewals.map((renewal) => ({ ...renewal })) });
}

function requireOnce(renewals: readonly LeaseRenewal[], index: number): void {
  if (renewals.findIndex(({ blob }) => blob === renewals[index]?.blob) !== index) {
    throw refuse('INVALID_ARGUMENT', { field: 'renewals', expected: 'each blob once' });
  }
}

/** A lease only becomes longer. */
function renewed(known: BlobReference, { blob, endEpoch }: LeaseRenewal, index: number): BlobReference {
  if (known.blob !== blob) return known;
  if (endEpoch <= known.endEpoch) {
    throw refuse('INVALID_ARGUMENT', {
      field: `renewals.${index}.endEpoch`,
      expected: `an epoch after ${known.endEpoch}`,
    });
  }
  return { ...known, endEpoch };
}

const unknown = (index: number) =>
  refuse('INVALID_ARGUMENT', { field: `renewals.${index}.blob`, expected: 'a blob of the contribution' });
