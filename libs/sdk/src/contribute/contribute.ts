import { refuse, type DatasetId } from '@usufruct/kernel';
import {
  manifestDigest,
  SignedManifestBcs,
  zBlobReference,
  type BlobReference,
  type ContributionView,
  type KeyMode,
  type SignedManifest,
} from '@usufruct/protocol';
import type { ClientContext } from '../context.js';
import { readRecord, writeRecord } from '../journal.js';
import { executeOnce, mayHappen } from '../transactions.js';
import { custodyUnavailable, isOver, putInCustody } from './custody.js';
import { depositShares } from './deposit.js';
import { checkFile } from './format.js';
import { contributionKey } from './key.js';
import { DEFAULT_MODE, forget, inLifetime, planFor, registeredAs } from './planning.js';
import { ProgressMeter, type OnContributeProgress } from './progress.js';
import { noteStoredQuilts } from './quilts/records.js';
import { ContributionRecords, zContributed, type Contributed, type Plan } from './records.js';
import { signedManifest } from './signing.js';
import { isLost } from './unfinished.js';
import { partReferences, requireStorage, SourceChanged, storeAlone, uploadParts } from './upload.js';

export interface ContributeParams {
  /** Names this contribution in the journal: the same key goes on with it, and later gives its result again. */
  readonly key: string;
  readonly datasetId: DatasetId;
  readonly fileName: string;
  readonly sizeBytes: number;
  /** Opens the file from its beginning; called again when an interrupted run is resumed. */
  readonly source: () => AsyncIterable<Uint8Array>;
  /** Who will give runners the key: the DAO's holders, unless the weaker Seal is asked for by name. */
  readonly keyMode?: KeyMode;
  /**
   * Its `Blob` objects are the wallet's own and go into custody once it is registered. Not stored in quilts then, whose
   * object could be in the custody of one contribution only.
   */
  readonly custody?: boolean;
  readonly onProgress?: OnContributeProgress;
}

/**
 * Encrypt a file here, store the ciphertext, give every key holder its share and register the contribution. Whatever
 * step dies, calling again with the same key ends in exactly one registered contribution with all shares deposited.
 * A file that changed before all of it was stored is contributed as it is now, under a new key, and so is one of which
 * the store has lost what an earlier run stored. Memory does not grow with the file.
 *
 * Refuses `FILE_EMPTY`, `FILE_TOO_LARGE`, `FORMAT_UNKNOWN` and `IDEMPOTENCY_KEY_REUSED` (the key of a file of another
 * dataset, name, size or key mode that was contributed), `KEY_MODE_UNAVAILABLE` (Seal where it is not configured, or in
 * a DAO that pays in epochs), `STORE_UNSUPPORTED` (terms that the store cannot keep, the DAO's on blobs among them) before anything is sent; `BLOB_MISMATCH` when the store
 * does not give back what it took; `UPSTREAM_UNAVAILABLE` while a holder is out of reach (call again later). With
 * `custody` also what `putInCustody` refuses: it is registered then, and calling again goes on with the rest.
 * Does not prove that the file can be parsed: only the runner will read it.
 */
export async function contribute(given: ClientContext, params: ContributeParams): Promise<Contributed> {
  const context = params.custody === true ? storingForCustody(given) : given;
  const contributed = await contributeOnce(context, params);
  if (params.custody === true) await keepInCustody(context, contributed);
  return contributed;
}

async function contributeOnce(context: ClientContext, params: ContributeParams): Promise<Contributed> {
  checkFile(params.fileName, params.sizeBytes);
  requireStorage(context);
  const records = new ContributionRecords(params.key);
  const meter = new ProgressMeter(params.sizeBytes, params.onProgress);
  const done = await readRecord(context.journal, records.done, zContributed);
  if (done !== null) {
    if (!isOf(done, params)) throw refuse('IDEMPOTENCY_KEY_REUSED', { contributionId: done.contributionId });
    return finish(context, records, done, meter);
  }
  await noteStoredQuilts(context.journal);
  try {
    return await run(context, params, records, meter);
  } catch (error) {
    if (!(error instanceof SourceChanged || error instanceof StorageLost)) throw error;
    await forget(context, records);
    meter.restart();
    return run(context, params, records, meter);
  }
}

/** The wallet must own what it gives away. Refuses what contradicts that before anything costs. */
function storingForCustody(context: ClientContext): ClientContext {
  const { custody, storage } = context;
  if (custody === undefined) throw custodyUnavailable();
  if (storage?.own === false) throw refuse('INVALID_ARGUMENT', { field: 'own', expected: 'yes, for custody' });
  return { ...context, storage: { ...storage, own: true } };
}

async function keepInCustody(context: ClientContext, { contributionId }: Contributed): Promise<void> {
  // What is over was taken out, perhaps, and is not put in again.
  if (!isOver(await context.chain.contribution(contributionId))) await putInCustody(context, contributionId);
}

/** What an earlier run stored is in the store no more: nobody could read what would be registered. */
class StorageLost extends Error {}

const isOf = (
  done: Contributed,
  { datasetId, fileName, sizeBytes, keyMode = DEFAULT_MODE }: ContributeParams,
): boolean =>
  done.datasetId === datasetId &&
  done.fileName === fileName &&
  done.sizeBytes === sizeBytes &&
  done.keyMode === keyMode;

/** Give up an unfinished contribution: forget its secret. What lies in the store stays unreadable for ever. */
export const abandonContribution = (context: ClientContext, key: string): Promise<void> =>
  forget(context, new ContributionRecords(key));

async function run(
  context: ClientContext,
  params: ContributeParams,
  records: ContributionRecords,
  meter: ProgressMeter,
): Promise<Contributed> {
  meter.step('planning');
  const { plan, holderSet } = await planFor(context, params, records);
  const registered = await registeredAs(context, plan);
  if (registered !== null) return finish(context, records, resultOf(plan, registered), meter);
  // While a registration that was signed may still happen, beginning anew could make two.
  const isSigned = await mayHappen({ ...context, key: records.transaction });
  if (!isSigned && (await isLost(context, records))) throw new StorageLost();
  const key = contributionKey(plan);
  meter.step('uploading');
  const storing = inLifetime(context, plan);
  const parts = await uploadParts({ context: storing, records, plan, key, source: params.source, meter });
  meter.step('signing');
  const signed = await signedManifest(context, records, plan, key, parts);
  const manifestBlob = await storedManifest(storing, records, signed);
  meter.step('depositing');
  const digest = manifestDigest(signed.manifest);
  const { shares } = key.deal;
  const deposit = async (): Promise<void> => {
    if (plan.keyMode !== 'holders') return;
    await depositShares({ context, records, holderSet, manifestDigest: digest, signed, shares, meter });
  };
  await deposit();
  meter.step('registering');
  await register(context, records, plan, signed, manifestBlob, parts.length);
  // Where a wallet was asked today and confirmed days later, holders may have given the shares up.
  await deposit();
  const view = await registeredAs(context, plan);
  if (view === null || view.manifestDigest !== digest)
    throw refuse('UPSTREAM_INVALID', { upstream: 'chain', field: 'contribution' });
  return finish(context, records, resultOf(plan, view), meter);
}

async function storedManifest(
  context: ClientContext,
  records: ContributionRecords,
  signed: SignedManifest,
): Promise<BlobReference> {
  const stored = await readRecord(context.journal, records.manifestBlob, zBlobReference);
  if (stored !== null) return stored;
  const bytes = SignedManifestBcs.serialize(signed).toBytes();
  const reference = await storeAlone(context, bytes, records.manifestBlob);
  await writeRecord(context.journal, records.manifestBlob, reference);
  return reference;
}

async function register(
  context: ClientContext,
  records: ContributionRecords,
  plan: Plan,
  signed: SignedManifest,
  manifestBlob: BlobReference,
  partCount: number,
): Promise<void> {
  const parts = await partReferences(context, records, partCount);
  const { salt, datasetId, holderSetId, policyDigest } = plan;
  const digest = manifestDigest(signed.manifest);
  await executeOnce({
    ...context,
    key: records.transaction,
    actions: [
      {
        kind: 'registerContribution',
        salt,
        datasetId,
        manifestDigest: digest,
        manifestBlob,
        parts,
        holderSetId,
        policyDigest,
      },
    ],
  });
}

const resultOf = (plan: Plan, view: ContributionView): Contributed => ({
  contributionId: view.id,
  datasetId: view.datasetId,
  manifestDigest: view.manifestDigest,
  fileName: plan.fileName,
  sizeBytes: plan.sizeBytes,
  keyMode: plan.keyMode,
  parts: view.parts.length,
});

/** The result is stored before the secret goes, so that a kill between the two leaves a secret to delete, not a gap. */
async function finish(
  context: ClientContext,
  records: ContributionRecords,
  result: Contributed,
  meter: ProgressMeter,
): Promise<Contributed> {
  await writeRecord(context.journal, records.done, result);
  for (const key of await context.journal.keys(records.prefix)) {
    if (key !== records.done) await context.journal.delete(key);
  }
  meter.step('done');
  return result;
}
