import { refuse, toBase64, toHex32, UsufructError, type Hex32 } from '@usufruct/kernel';
import { deriveId, type ContributionView, type DaoView, type HolderSetView, type KeyMode } from '@usufruct/protocol';
import type { ClientContext } from '../context.js';
import { deleteAll, readRecord, writeRecord } from '../journal.js';
import type { ContributeParams } from './contribute.js';
import { zPlan, type ContributionRecords, type Plan } from './records.js';
import { requireStorage } from './upload.js';

export const DEFAULT_MODE: KeyMode = 'holders';

/** The stored plan as long as it can still be carried out, else a new one, stored before it is used. */
export async function planFor(
  context: ClientContext,
  params: ContributeParams,
  records: ContributionRecords,
): Promise<{ plan: Plan; holderSet: HolderSetView }> {
  const { chain, journal, signer } = context;
  const { chainId } = await chain.info();
  const { daoId } = await chain.dataset(params.datasetId);
  const dao = await chain.dao(daoId);
  const { keyMode = DEFAULT_MODE } = params;
  const holderSet = await chain.holderSet(dao.policy.holderSetId);
  const stored = await readRecord(journal, records.plan, zPlan);
  if (stored !== null) {
    if (stored.owner !== signer.address) throw refuse('WRONG_WALLET', { owner: stored.owner });
    if (stored.datasetId !== params.datasetId) throw refuse('DATASET_MISMATCH', { datasetId: stored.datasetId });
    const isCurrent =
      stored.chainId === chainId &&
      stored.policyDigest === dao.policyDigest &&
      stored.keyMode === keyMode &&
      stored.fileName === params.fileName &&
      stored.sizeBytes === params.sizeBytes;
    if (isCurrent || (stored.chainId === chainId && (await registeredAs(context, stored)) !== null)) {
      const { contributionId } = stored;
      if (stored.keyMode !== keyMode) throw refuse('IDEMPOTENCY_KEY_REUSED', { contributionId });
      return { plan: stored, holderSet: await chain.holderSet(stored.holderSetId) };
    }
  }
  await forget(context, records);
  requireKeyMode(context, keyMode, dao);
  requireLifetime(context, dao);
  const salt = toHex32<Hex32>(context.random(32));
  const plan: Plan = {
    version: 1,
    chainId,
    datasetId: params.datasetId,
    contributionId: deriveId('contribution', params.datasetId, signer.address, salt),
    owner: signer.address,
    salt,
    holderSetId: holderSet.id,
    keyMode,
    threshold: holderSet.threshold,
    holderCount: holderSet.members.length,
    policyDigest: dao.policyDigest,
    createdAtMs: context.clock.nowMs(),
    fileName: params.fileName,
    sizeBytes: params.sizeBytes,
    seed: toBase64(context.random(32)),
    blobs: dao.policy.blobs,
  };
  await writeRecord(journal, records.plan, plan);
  return { plan, holderSet };
}

/** The DAO decides whether ciphertext can be deleted early. A client that was told otherwise, or whose store cannot, stores nothing. */
function requireLifetime(context: ClientContext, { policy: { blobs } }: DaoView): void {
  const { deletable } = context.storage ?? {};
  if (deletable !== undefined && deletable !== (blobs === 'deletable'))
    throw refuse('INVALID_ARGUMENT', { field: 'deletable', expected: `as the DAO's policy says: ${blobs}` });
  requireStorage(inLifetime(context, { blobs }));
}

/** The client, with the terms under which this DAO's contributions are stored. */
export const inLifetime = (context: ClientContext, { blobs }: Pick<Plan, 'blobs'>): ClientContext => ({
  ...context,
  storage: { ...context.storage, deletable: blobs === 'deletable' },
});

/** A mode that cannot be had here is refused, and never replaced by the other one. */
function requireKeyMode({ secretSealer }: ClientContext, keyMode: KeyMode, dao: DaoView): void {
  if (keyMode !== 'seal') return;
  if (secretSealer === undefined) throw refuse('KEY_MODE_UNAVAILABLE', { mode: 'seal', reason: 'not configured here' });
  // Holders divide what is set aside, and only for contributions whose keys they released themselves.
  if (dao.payoutRules.mode === 'epoch') {
    throw refuse('KEY_MODE_UNAVAILABLE', { mode: 'seal', reason: 'the DAO pays in epochs' });
  }
}

/**
 * The plan first: its seed must never meet a file again of which the hashes of the parts already sent are lost.
 */
export async function forget(context: ClientContext, records: ContributionRecords): Promise<void> {
  await context.journal.delete(records.plan);
  await deleteAll(context.journal, records.prefix);
}

export async function registeredAs(context: ClientContext, plan: Plan): Promise<ContributionView | null> {
  try {
    return await context.chain.contribution(plan.contributionId);
  } catch (error) {
    if (error instanceof UsufructError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
