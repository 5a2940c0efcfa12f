import { Inject, Injectable } from '@nestjs/common';
import type { BlobObject } from '@usufruct/chain';
import {
  asAmount,
  asWeight,
  assertInvariant,
  fromHex,
  refuse,
  sumUnits,
  type Address,
  type AmountUnits,
  type ContributionId,
  type Hex32,
} from '@usufruct/kernel';
import { allocate, storageChargeUnits } from '@usufruct/ledger';
import { LIMITS, zAmount, zHex32, type BlobReference } from '@usufruct/protocol';
import { QUILTED_AT_MOST_BYTES } from '@usufruct/walrus';
import { z } from 'zod';
import type { Config } from '../../platform/config/config.js';
import type { StorePort } from '../../platform/store/index.js';
import { CONFIG, STORE } from '../../platform/tokens.js';
import { blobIdOf } from './blob-id.js';
import { BlobSource } from './blob-source.js';
import { blobsOf, LeaseRepository, type KeptContribution } from './lease.repository.js';

/** For looking into a quilt before it is paid for. */
const LOOK_TIMEOUT_MS = 60_000;

/** What a contribution bears of what making a quilt's lease longer costs. */
const zShare = z.object({ contributionId: zHex32<ContributionId>(), owner: zHex32<Address>(), units: zAmount });
export type StorageShare = z.output<typeof zShare>;

export const zPlannedBlob = z.object({
  blob: zHex32<Hex32>(),
  /** Of the whole blob: of the quilt, where it is one. */
  sizeBytes: z.int(),
  endEpoch: z.int(),
  /** What making its lease longer costs. */
  units: zAmount,
  /** Who bears it, where that is not the contribution alone. */
  shares: z.array(zShare).default([]),
});
export type PlannedBlob = z.output<typeof zPlannedBlob>;

export interface WhatFor {
  readonly kind: 'renewal' | 'repair';
  readonly toEpoch: number;
  readonly epoch: number;
  /** Where it is in custody: what is made longer, as the chain has it. */
  readonly kept?: BlobObject | undefined;
}

/** What the leases of blobs cost, and whom: a quilt is paid once, by all that lies in it. */
@Injectable()
export class BlobPrices {
  constructor(
    @Inject(STORE) private readonly store: StorePort,
    @Inject(CONFIG) private readonly config: Config,
    private readonly repository: LeaseRepository,
    private readonly source: BlobSource,
  ) {}

  /**
   * What the store says of a blob counts, before anything is paid: whoever registered it may have told the chain a
   * smaller size, or an earlier end, at the DAO's expense. Larger than was said may only be a quilt that holds what was
   * said, and is no larger than a blob may be. A lease that this keeper has made longer already, for another contribution
   * in the quilt, is not paid again. Of what is in custody, the object's own end counts alone. Refuses `MANIFEST_MISMATCH` for another size, `BLOB_UNAVAILABLE` where the quilt
   * cannot be looked into.
   */
  async planned(contribution: KeptContribution, reference: BlobReference, what: WhatFor): Promise<PlannedBlob> {
    const { blob } = reference;
    const status = what.kept ?? (await this.store.blobs.status(blobIdOf(blob)));
    const sizeBytes = status.sizeBytes ?? (await this.sizeOf(contribution, reference));
    if (sizeBytes !== reference.sizeBytes) await this.requireQuilt(contribution, reference, sizeBytes);
    const sharers = await this.sharersOf(contribution, reference);
    const paid = what.kind === 'renewal' ? await this.repository.renewedUntil(contribution, blob) : 0;
    const endEpoch = what.kept?.endEpoch ?? Math.max(reference.endEpoch, status.endEpoch ?? 0, paid);
    // What is put back is paid for what is left; what is made longer, for what is added.
    const from = what.kind === 'repair' ? what.epoch : Math.max(what.epoch, endEpoch);
    const tariff = { unitsPerMibEpoch: this.config.lease.unitsPerMibEpoch };
    const units = storageChargeUnits(tariff, { sizeBytes, epochs: Math.max(0, what.toEpoch - from) });
    return { blob, sizeBytes, endEpoch, units, shares: sharers.length > 1 ? sharesOf(units, sharers) : [] };
  }

  /** Where the store does not say it: of what may lie in a quilt, by reading it. */
  private async sizeOf(contribution: KeptContribution, { blob, sizeBytes }: BlobReference): Promise<number> {
    if (sizeBytes > QUILTED_AT_MOST_BYTES) return sizeBytes;
    return (await this.source.wholeOf(contribution, blob, AbortSignal.timeout(LOOK_TIMEOUT_MS))).length;
  }

  private async requireQuilt(contribution: KeptContribution, reference: BlobReference, bytes: number): Promise<void> {
    const mayBe = reference.sizeBytes <= QUILTED_AT_MOST_BYTES && bytes > reference.sizeBytes;
    const outcome =
      mayBe && bytes <= LIMITS.partBytes
        ? await this.source.holds(contribution, reference.blob, AbortSignal.timeout(LOOK_TIMEOUT_MS))
        : 'absent';
    if (outcome === 'unknown') throw refuse('BLOB_UNAVAILABLE', { contributionId: contribution.id });
    if (outcome === 'absent') throw refuse('MANIFEST_MISMATCH', { field: 'sizeBytes' });
  }

  /** Accepted contributions of this owner in this DAO that lie in the blob, this one always among them. */
  private async sharersOf(contribution: KeptContribution, { blob, sizeBytes }: BlobReference): Promise<Sharer[]> {
    const { id, owner } = contribution;
    const inIt = sizeBytes <= QUILTED_AT_MOST_BYTES ? await this.repository.sharing(contribution, blob) : [];
    const others = inIt.filter((other) => other.id !== id && other.accepted);
    const bytesIn = (other: KeptContribution): number =>
      blobsOf(other).reduce((sum, each) => sum + (each.blob === blob ? each.sizeBytes : 0), 0);
    return [{ id, owner, sizeBytes }, ...others.map((other) => ({ id: other.id, owner, sizeBytes: bytesIn(other) }))];
  }
}

interface Sharer {
  readonly id: ContributionId;
  readonly owner: Address;
  readonly sizeBytes: number;
}

/** By the bytes that each has in it: to the unit, ties by id. */
function sharesOf(units: AmountUnits, sharers: readonly Sharer[]): StorageShare[] {
  const weights = sharers.map(({ id, sizeBytes }) => ({ weight: asWeight(BigInt(sizeBytes)), tieKey: fromHex(id) }));
  return allocate(units, weights).map((share, i) => {
    const { id: contributionId, owner } = sharers[i]!;
    return { contributionId, owner, units: share };
  });
}

/** What each contribution bears of what was bought; together it is what was bought. */
export function bornBy(
  contribution: { readonly contributionId: ContributionId; readonly owner: Address },
  bought: readonly PlannedBlob[],
): StorageShare[] {
  const total = new Map<ContributionId, StorageShare>();
  for (const { units, shares } of bought) {
    for (const share of shares.length > 0 ? shares : [{ ...contribution, units }]) {
      const before = total.get(share.contributionId)?.units ?? 0n;
      total.set(share.contributionId, { ...share, units: asAmount(before + share.units) });
    }
  }
  const all = [...total.values()];
  assertInvariant(
    sumUnits(all.map(({ units }) => units)) === sumUnits(bought.map(({ units }) => units)),
    'what contributions bear is what was bought',
  );
  return all;
}
