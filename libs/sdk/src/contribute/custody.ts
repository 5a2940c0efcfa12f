import type { BlobCustody, BlobObject, StepMemory } from '@usufruct/chain';
import { fromBase64, refuse, toBase64, type ContributionId, type Digest, type Hex32 } from '@usufruct/kernel';
import { LIMITS, zBase64, zHex32, type BlobReference, type ContributionView } from '@usufruct/protocol';
import { z } from 'zod';
import type { ClientContext } from '../context.js';
import { readRecord, writeRecord } from '../journal.js';
import { requireOwner } from '../releases.js';

type Context = Pick<ClientContext, 'chain' | 'custody' | 'journal' | 'signer'>;

/** Where the `Blob` object of one of a contribution's blobs is. */
export interface BlobWhereabouts {
  readonly blob: Hex32;
  readonly role: 'part' | 'manifest';
  /** `elsewhere`: neither in custody nor this wallet's, as where a publisher keeps what it pays. */
  readonly where: 'custody' | 'wallet' | 'elsewhere';
  readonly object: BlobObject | null;
}

const zPrepared = z.object({
  digest: zHex32<Digest>(),
  bytes: zBase64(LIMITS.transactionBytes),
  signature: z.string(),
});

/** Refuses `STORE_UNSUPPORTED` where there is no custody. */
export async function openCustody({ custody }: Pick<ClientContext, 'custody'>): Promise<BlobCustody> {
  if (custody !== undefined) return custody();
  throw custodyUnavailable();
}

export const custodyUnavailable = (): Error =>
  refuse('STORE_UNSUPPORTED', { ability: 'custody', needs: 'testnet or mainnet, or the local store' });

/** Where the objects of a contribution are, by the chain; of several in the wallet, the one that lasts longest. */
export async function custodyOf(context: Context, contributionId: ContributionId): Promise<BlobWhereabouts[]> {
  return whereabouts(await openCustody(context), await context.chain.contribution(contributionId));
}

/**
 * Put the `Blob` objects of a contribution into the keeping of its dataset, by its owner: stewards can then make the
 * leases last, and nobody, the owner included, can delete the ciphertext while the contribution is in use. Calling again
 * goes on; what is there already is left alone.
 *
 * All of them are looked for before the first is put in. Refuses `WRONG_WALLET`; `TOMBSTONED` for a contribution that is
 * over; `NOT_FOUND` where this wallet owns no object of a blob (somebody else paid for it and kept it);
 * `STORE_UNSUPPORTED` where there is no custody, and for what lies in a quilt, whose object can be in the custody of one
 * contribution only; and what the chain refuses.
 */
export async function putInCustody(context: Context, contributionId: ContributionId): Promise<BlobWhereabouts[]> {
  const custody = await openCustody(context);
  const contribution = await context.chain.contribution(contributionId);
  requireOwner(context, contribution);
  if (isOver(contribution)) throw refuse('TOMBSTONED', { contributionId });
  const sizes = new Map(referencesOf(contribution).map(({ blob, sizeBytes }) => [blob, sizeBytes]));
  const all = await whereabouts(custody, contribution);
  const outside = all.filter(({ where }) => where !== 'custody');
  const toPut = outside.map(({ blob, object }) => {
    if (object === null) throw refuse('NOT_FOUND', { object: 'Blob object', blob, reason: 'this wallet owns none' });
    if (object.sizeBytes !== sizes.get(blob))
      throw refuse('STORE_UNSUPPORTED', { ability: 'custody', blob, reason: 'it lies in a quilt' });
    return { blob, objectId: object.objectId };
  });
  // One transaction of a wallet after the other: two at once could lock its coins.
  for (const { blob, objectId } of toPut)
    await custody.put({ contributionId, blob }, objectId, memoryOf(context, contributionId, blob, 'put'));
  // Of one that was killed when it had happened.
  for (const { blob, where } of all)
    if (where === 'custody') await memoryOf(context, contributionId, blob, 'put').write(null);
  return whereabouts(custody, contribution);
}

/**
 * Take the objects of a contribution that is over out of custody, for good, by its owner: into the wallet, or deleted on
 * the way where their leases can be ended (`isDeleted`). Calling again goes on. Refuses `FORBIDDEN` while it is in use.
 */
export async function withdrawFromCustody(
  context: Context,
  contributionId: ContributionId,
  { isDeleted = false }: { readonly isDeleted?: boolean } = {},
): Promise<BlobWhereabouts[]> {
  const custody = await openCustody(context);
  const contribution = await context.chain.contribution(contributionId);
  requireOwner(context, contribution);
  await withdrawAll(context, custody, contribution, () => isDeleted);
  return whereabouts(custody, contribution);
}

/** All that is in custody; by blob, whether it is deleted where it can be. */
export async function withdrawAll(
  context: Context,
  custody: BlobCustody,
  contribution: ContributionView,
  isDeleted: (blob: Hex32) => boolean,
): Promise<void> {
  const { id: contributionId } = contribution;
  const blobs = referencesOf(contribution).map(({ blob }) => blob);
  const held = await custody.held(contributionId, blobs);
  for (const [i, blob] of blobs.entries()) {
    const memory = memoryOf(context, contributionId, blob, 'withdraw');
    // One that was signed may have happened: it is settled, and forgotten.
    if (held[i] === null && (await memory.read()) === null) continue;
    await custody.withdraw({ contributionId, blob }, { isDeleted: isDeleted(blob) }, memory);
  }
}

async function whereabouts(custody: BlobCustody, contribution: ContributionView): Promise<BlobWhereabouts[]> {
  const references = referencesOf(contribution);
  const held = await custody.held(
    contribution.id,
    references.map(({ blob }) => blob),
  );
  const owned = held.includes(null) ? await custody.owned() : [];
  return references.map(({ blob }, i) => {
    const role = blob === contribution.manifestBlob.blob ? 'manifest' : 'part';
    const inCustody = held[i] ?? null;
    if (inCustody !== null) return { blob, role, where: 'custody', object: inCustody };
    const mine = owned.filter((object) => object.blob === blob && object.certified);
    const object = mine.toSorted((a, b) => b.endEpoch - a.endEpoch)[0] ?? null;
    return { blob, role, where: object === null ? 'elsewhere' : 'wallet', object };
  });
}

/** Each blob once. */
const referencesOf = ({ parts, manifestBlob }: ContributionView): BlobReference[] => [
  ...new Map([...parts, manifestBlob].map((reference) => [reference.blob, reference])).values(),
];

export const isOver = ({ state, tombstonedAtMs }: ContributionView): boolean =>
  state === 'declined' || tombstonedAtMs !== null;

function memoryOf(
  { journal, signer }: Context,
  contributionId: ContributionId,
  blob: Hex32,
  step: 'put' | 'withdraw',
): StepMemory {
  const key = `custody/${contributionId}/${blob}/${step}/${signer.address}`;
  return {
    async read() {
      const kept = await readRecord(journal, key, zPrepared);
      return kept === null ? null : { ...kept, bytes: fromBase64(kept.bytes) };
    },
    write: (prepared) =>
      prepared === null
        ? journal.delete(key)
        : writeRecord(journal, key, { ...prepared, bytes: toBase64(prepared.bytes) }),
  };
}
