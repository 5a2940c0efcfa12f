import { Injectable } from '@nestjs/common';
import {
  asId,
  type Address,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type Hex32,
} from '@usufruct/kernel';
import { parseAnswer, zBlobReference, type BlobReference } from '@usufruct/protocol';
import { z } from 'zod';
import { Prisma, PrismaService, type Database } from '../../platform/prisma/index.js';
import type { LeaseTerm } from './lease-terms.js';

/** A contribution that storage matters to: neither declined nor retired, in a dataset that is not retired. */
export interface KeptContribution extends LeaseTerm {
  readonly id: ContributionId;
  readonly datasetId: DatasetId;
  readonly daoId: DaoId;
  readonly owner: Address;
  /** Only what a DAO has accepted is kept at its expense; anybody may propose anything. */
  readonly accepted: boolean;
  readonly manifestDigest: Digest;
  readonly manifestBlob: BlobReference;
  readonly parts: readonly BlobReference[];
}

const zOther = z.object({
  kind: z.string(),
  state: z.string(),
  fromEpoch: z.int(),
  toEpoch: z.int(),
  blobs: z.array(z.object({ blob: z.string(), endEpoch: z.int() })),
  confirmed: z.record(z.string(), z.int()),
});
export type OtherRenewal = z.output<typeof zOther>;
/** One that pays is the newest: while it is under way no other is planned. */
const OTHERS = 50;

interface Row {
  readonly id: string;
  readonly dataset_id: string;
  readonly dao_id: string;
  readonly owner: string;
  readonly state: string;
  readonly manifest_digest: string;
  readonly manifest_blob: unknown;
  readonly parts: unknown;
  readonly lease_end_epoch: number;
  readonly seen_epoch: number | null;
}

const KEPT = Prisma.sql`from contribution c
  join dataset d on d.id = c.dataset_id
  left join lease_sighting s on s.contribution_id = c.id and s.end_epoch = c.lease_end_epoch
  where c.tombstoned_at is null and d.tombstoned_at is null and c.state <> 'declined'`;
const COLUMNS = Prisma.sql`select c.id, c.dataset_id, d.dao_id, c.owner, c.state, c.manifest_digest, c.manifest_blob, c.parts,
  c.lease_end_epoch, s.seen_epoch`;

@Injectable()
export class LeaseRepository {
  constructor(private readonly prisma: PrismaService) {}

  /** Notes in which epoch each lease was seen first; what was seen before stays. */
  async sight(epoch: number): Promise<void> {
    await this.prisma.$executeRaw`insert into lease_sighting (contribution_id, end_epoch, seen_epoch)
      select c.id, c.lease_end_epoch, ${epoch} ${KEPT} and s.seen_epoch is null on conflict do nothing`;
  }

  /** Those whose lease ends by this epoch, the nearest end first, from a place on. */
  async endingBy(
    endEpoch: number,
    after: { endEpoch: number; id: string },
    limit: number,
  ): Promise<KeptContribution[]> {
    const rows = await this.prisma.$queryRaw<Row[]>`${COLUMNS} ${KEPT} and c.lease_end_epoch <= ${endEpoch}
      and (c.lease_end_epoch, c.id) > (${after.endEpoch}, ${after.id})
      order by c.lease_end_epoch, c.id limit ${limit}`;
    return rows.map(toKept);
  }

  /** Of those whose lease has ended, in an order that follows from a salt: whoever comes last once comes first another time. */
  async endedBy(epoch: number, salt: string, limit: number): Promise<KeptContribution[]> {
    const rows = await this.prisma.$queryRaw<Row[]>`${COLUMNS} ${KEPT} and c.lease_end_epoch <= ${epoch}
      order by md5(c.id || ${salt}) limit ${limit}`;
    return rows.map(toKept);
  }

  async find(id: ContributionId): Promise<KeptContribution | null> {
    const [row] = await this.prisma.$queryRaw<Row[]>`${COLUMNS} ${KEPT} and c.id = ${id}`;
    return row === undefined ? null : toKept(row);
  }

  /** Whether no aggregator has it any more, as samples have shown. */
  async isLost(contributionId: ContributionId): Promise<boolean> {
    return (await this.prisma.lostContribution.count({ where: { contributionId, state: 'lost' } })) > 0;
  }

  /** What of this owner lies in a blob, in this DAO: in a quilt there may be hundreds. Nobody else is asked to share. */
  async sharing({ owner, daoId }: Pick<KeptContribution, 'owner' | 'daoId'>, blob: Hex32): Promise<KeptContribution[]> {
    const parts = JSON.stringify([{ blob }]);
    const rows = await this.prisma.$queryRaw<Row[]>`${COLUMNS} ${KEPT} and c.owner = ${owner} and d.dao_id = ${daoId}
      and (c.manifest_blob->>'blob' = ${blob} or c.parts @> ${parts}::jsonb) order by c.id`;
    return rows.map(toKept);
  }

  /** Until when this keeper has made the lease of a blob last, for any contribution of this owner; 0: it has not. */
  async renewedUntil({ owner, daoId }: Pick<KeptContribution, 'owner' | 'daoId'>, blob: Hex32): Promise<number> {
    const [row] = await this.prisma.$queryRaw<
      { until: number | null }[]
    >`select max((confirmed->>${blob})::int) as until
      from lease_renewal where dao_id = ${daoId} and owner = ${owner} and state in ('stored', 'done', 'failed')`;
    return row?.until ?? 0;
  }

  /** What the newest renewals and repairs of others were for that name one of these blobs, as they lie in a quilt. */
  async othersOf(
    db: Database,
    { id, owner, daoId }: Pick<KeptContribution, 'id' | 'owner' | 'daoId'>,
    blobs: readonly Hex32[],
  ): Promise<OtherRenewal[]> {
    const named = Prisma.join(
      blobs.map((blob) => Prisma.sql`blobs @> ${JSON.stringify([{ blob }])}::jsonb`),
      ' or ',
    );
    const rows = await db.$queryRaw<Record<string, unknown>[]>`
      select kind, state, from_epoch as "fromEpoch", to_epoch as "toEpoch", blobs, confirmed from lease_renewal
      where dao_id = ${daoId} and owner = ${owner} and contribution_id <> ${id} and (${named})
      order by planned_at desc limit ${OTHERS}`;
    return parseAnswer(z.array(zOther), rows, 'database');
  }

  /** One that follows a random point, so that a sample costs the same however many there are. */
  async sampleFrom(point: string): Promise<KeptContribution | null> {
    const [row] = await this.prisma.$queryRaw<Row[]>`${COLUMNS} ${KEPT} and c.id >= ${point} order by c.id limit 1`;
    if (row !== undefined) return toKept(row);
    const [first] = await this.prisma.$queryRaw<Row[]>`${COLUMNS} ${KEPT} order by c.id limit 1`;
    return first === undefined ? null : toKept(first);
  }
}

const toKept = (row: Row): KeptContribution => ({
  id: asId<ContributionId>(row.id, 'id'),
  datasetId: asId<DatasetId>(row.dataset_id, 'datasetId'),
  daoId: asId<DaoId>(row.dao_id, 'daoId'),
  owner: asId<Address>(row.owner, 'owner'),
  accepted: row.state === 'accepted',
  manifestDigest: asId<Digest>(row.manifest_digest, 'manifestDigest'),
  manifestBlob: parseAnswer(zBlobReference, row.manifest_blob, 'projection'),
  parts: parseAnswer(z.array(zBlobReference), row.parts, 'projection'),
  endEpoch: row.lease_end_epoch,
  seenEpoch: row.seen_epoch ?? row.lease_end_epoch,
});

/** Each blob once, with the lease that ends first: the same bytes may be in several places. */
export function blobsOf({ manifestBlob, parts }: Pick<KeptContribution, 'manifestBlob' | 'parts'>): BlobReference[] {
  const found = new Map<string, BlobReference>();
  for (const reference of [manifestBlob, ...parts]) {
    const known = found.get(reference.blob);
    if (known === undefined || reference.endEpoch < known.endEpoch) found.set(reference.blob, reference);
  }
  return [...found.values()];
}
