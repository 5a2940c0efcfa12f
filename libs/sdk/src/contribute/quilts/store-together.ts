import { refuse, UsufructError, type DatasetId, type Digest } from '@usufruct/kernel';
import { encryptEnvelope, splitIntoParts } from '@usufruct/crypto';
import { manifestDigest, SignedManifestBcs, type DaoView } from '@usufruct/protocol';
import { QUILTED_AT_MOST_BYTES } from '@usufruct/walrus';
import type { ClientContext } from '../../context.js';
import { readRecord, writeRecord } from '../../journal.js';
import type { ContributeParams } from '../contribute.js';
import { checkFile } from '../format.js';
import { contributionKey } from '../key.js';
import { forget, inLifetime, planFor, registeredAs } from '../planning.js';
import { ProgressMeter } from '../progress.js';
import { ContributionRecords, zPart, zPlan, type Plan } from '../records.js';
import { signedManifest } from '../signing.js';
import { isBegunAlone } from '../unfinished.js';
import { measured, PART_BYTES, requireStorage } from '../upload.js';
import { planQuilts } from './plan.js';
import { forgetQuilt, noteStoredQuilts, unfinishedQuilts } from './records.js';
import { storeQuilt, type ToQuilt } from './store-quilt.js';

/** What the envelope adds to a small file at most: headers, name, lengths, and a tag for each chunk. */
const ENVELOPE_BYTES = 1_024;

/**
 * Store the small ones of many files, and their manifests, in quilts: for each of them, `contribute` then finds the
 * storing done, and goes on with its key holders and the chain. Files of one call have one owner and one lifetime; those
 * of several datasets come into several quilts, since a quilt is extended and deleted only whole. What a quilt is not
 * worth for is left to `contribute`, and so is a file that cannot be contributed, which is told there.
 *
 * Every step is in the journal before it is taken; calling again with the same files goes on, and pays nothing twice. A
 * quilt that was begun with files that are not all given again, or have changed since, is given up for another one.
 *
 * Refuses what the store refuses, `STORE_UNSUPPORTED` and `BLOB_MISMATCH`.
 */
export async function storeTogether(client: ClientContext, files: readonly ContributeParams[]): Promise<void> {
  requireStorage(client);
  await noteStoredQuilts(client.journal);
  const { abilities } = client.store;
  // A quilt's object cannot be in the custody of several.
  const small = files.filter((file) => file.custody !== true && isSmall(file));
  const given = [...new Map(small.map((file) => [file.key, file])).values()];
  for (const datasetId of new Set(given.map((file) => file.datasetId))) {
    const ofDataset = given.filter((file) => file.datasetId === datasetId);
    const begun = await begunBefore(client, ofDataset);
    const { policy, policyDigest } = await daoOf(client, datasetId);
    // A setting that contradicts it is refused where each is planned. What was planned without it is stored as planned.
    const storing = inLifetime(client, policy);
    // What has been stored and has no manifest there yet comes first.
    await storeManifests(storing, await signed(client, ofDataset));
    const toStore = await filter(ofDataset, (file) => isToStore(client, file, policyDigest));
    const inBegun = begun.filter((group) => group.every((file) => toStore.includes(file)));
    const free = toStore.filter((file) => !inBegun.flat().includes(file));
    const sizes = free.map(({ sizeBytes }) => sizeBytes + ENVELOPE_BYTES);
    const planned = planQuilts(sizes, abilities).map((places) => places.map((i) => free[i]!));
    for (const group of [...inBegun, ...planned]) await storeGroup(client, storing, group);
  }
}

function isSmall({ fileName, sizeBytes }: ContributeParams): boolean {
  if (sizeBytes + ENVELOPE_BYTES > QUILTED_AT_MOST_BYTES) return false;
  try {
    checkFile(fileName, sizeBytes);
    return true;
  } catch {
    return false;
  }
}

/** Parts of files that were to lie in one quilt already. One that cannot be made again as it was is given up. */
async function begunBefore(
  { journal }: ClientContext,
  files: readonly ContributeParams[],
): Promise<ContributeParams[][]> {
  const byKey = new Map(files.map((file) => [file.key, file]));
  const groups: ContributeParams[][] = [];
  for (const [prefix, quilt] of await unfinishedQuilts(journal)) {
    const group = quilt.files.flatMap(({ key }) => byKey.get(key) ?? []);
    if (group.length === 0) continue;
    const isWhole = group.length === quilt.files.length;
    if (!isWhole) await forgetQuilt(journal, prefix);
    // Manifests are grouped by what was signed, which gives the same again.
    else if (quilt.of === 'parts') groups.push(group);
  }
  return groups;
}

async function daoOf({ chain }: ClientContext, datasetId: DatasetId): Promise<DaoView> {
  const { daoId } = await chain.dataset(datasetId);
  return chain.dao(daoId);
}

async function isToStore({ journal }: ClientContext, file: ContributeParams, policyDigest: Digest): Promise<boolean> {
  const records = new ContributionRecords(file.key);
  if ((await journal.get(records.done)) !== null) return false;
  const plan = await readRecord(journal, records.plan, zPlan);
  // Under another policy it begins anew, and what was stored of it is of no use.
  if (plan !== null && plan.policyDigest !== policyDigest) return true;
  if ((await journal.get(records.ciphertext)) !== null) return false;
  // One that began as a blob of its own goes on as one.
  const part = await readRecord(journal, records.part(0), zPart);
  return (part === null || part.stored === null) && !(await isBegunAlone(journal, records.part(0)));
}

/** A file whose ciphertext is made, in one part. */
interface Encrypted extends ToQuilt {
  readonly file: ContributeParams;
}

/** Planned by the client as it is, and stored as the DAO decides. */
async function storeGroup(
  context: ClientContext,
  storing: ClientContext,
  group: readonly ContributeParams[],
): Promise<void> {
  const encrypted: Encrypted[] = [];
  for (const file of group) {
    const one = await orLeftOut(() => encrypt(context, file));
    if (one !== null) encrypted.push(one);
  }
  // Alone in a quilt, a file would cost more than as a blob.
  if (encrypted.length < 2) return;
  await giveUpOthers(context, encrypted);
  await storeQuilt(storing, 'parts', encrypted);
  await storeManifests(
    storing,
    await signed(
      context,
      encrypted.map(({ file }) => file),
    ),
  );
}

/** Quilts in which some of these were to lie, together with others or as they were before. */
async function giveUpOthers({ journal }: ClientContext, encrypted: readonly Encrypted[]): Promise<void> {
  const digests = new Map(encrypted.map(({ key, digest }) => [key, digest]));
  for (const [prefix, { of, files }] of await unfinishedQuilts(journal)) {
    const isThis = files.length === digests.size && files.every(({ key, digest }) => digests.get(key) === digest);
    if (of === 'parts' && !isThis && files.some(({ key }) => digests.has(key))) await forgetQuilt(journal, prefix);
  }
}

/** As `contribute` would: planned, encrypted under the plan's key, its hash in the journal before it goes anywhere. */
async function encrypt(context: ClientContext, file: ContributeParams): Promise<Encrypted | null> {
  const { journal } = context;
  const records = new ContributionRecords(file.key);
  const meter = new ProgressMeter(file.sizeBytes, file.onProgress);
  meter.step('planning');
  for (const isAgain of [false, true]) {
    const { plan } = await planFor(context, file, records);
    if ((await registeredAs(context, plan)) !== null) return null;
    meter.step('uploading');
    const part = await onePart(plan, file, meter);
    if (part === null) return null;
    const { sha256, bytes } = part;
    const known = await readRecord(journal, records.part(0), zPart);
    const isChanged = known !== null && (known.sha256 !== sha256 || known.sizeBytes !== bytes.length);
    if (!isChanged) {
      if (known === null) {
        await writeRecord(journal, records.part(0), { sha256, sizeBytes: bytes.length, stored: null });
      }
      return { file, key: file.key, digest: sha256, bytes };
    }
    if (isAgain) break;
    // Another content must never be encrypted under the same key.
    await forget(context, records);
    meter.restart();
  }
  throw refuse('INVALID_ARGUMENT', { field: 'source', expected: 'the same bytes whenever it is read' });
}

async function onePart(plan: Plan, file: ContributeParams, meter: ProgressMeter) {
  const key = contributionKey(plan);
  const ciphertext = encryptEnvelope({
    source: measured(file.source(), plan.sizeBytes, meter),
    sessionKey: key.sessionKey,
    fileName: plan.fileName,
    random: key.envelopeRandom,
  });
  const parts = [];
  for await (const part of splitIntoParts(ciphertext, PART_BYTES)) parts.push(part);
  const [only] = parts;
  const isOne = parts.length === 1 && only !== undefined && only.bytes.length <= QUILTED_AT_MOST_BYTES;
  return isOne ? only : null;
}

/** Signed manifests of those whose one part is stored and whose manifest is not. */
async function signed(context: ClientContext, files: readonly ContributeParams[]): Promise<ToQuilt[]> {
  const found: ToQuilt[] = [];
  for (const file of files) {
    const one = await orLeftOut(() => signOne(context, file));
    if (one !== null) found.push(one);
  }
  return found;
}

async function signOne(context: ClientContext, file: ContributeParams): Promise<ToQuilt | null> {
  const { journal } = context;
  const records = new ContributionRecords(file.key);
  const isStored = async (): Promise<boolean> => (await journal.get(records.ciphertext)) !== null;
  if (!(await isStored()) || (await journal.get(records.manifestBlob)) !== null) return null;
  if (await isBegunAlone(journal, records.manifestBlob)) return null;
  const { plan } = await planFor(context, file, records);
  // A plan that could not be carried out any more took what was stored with it.
  const part = await readRecord(journal, records.part(0), zPart);
  if (!(await isStored()) || part === null || part.stored === null) return null;
  if ((await registeredAs(context, plan)) !== null) return null;
  new ProgressMeter(file.sizeBytes, file.onProgress).step('signing');
  const { sha256, sizeBytes, stored } = part;
  const parts = [{ blob: stored.blob, sha256, sizeBytes }];
  const manifest = await signedManifest(context, records, plan, contributionKey(plan), parts);
  const bytes = SignedManifestBcs.serialize(manifest).toBytes();
  return { key: file.key, digest: manifestDigest(manifest.manifest), bytes };
}

/** Those that were to lie in one quilt already stay together, so that it is not paid a second time. */
async function storeManifests(context: ClientContext, manifests: readonly ToQuilt[]): Promise<void> {
  const byKey = new Map(manifests.map((manifest) => [manifest.key, manifest]));
  for (const [prefix, { of, files }] of await unfinishedQuilts(context.journal)) {
    const group = files.flatMap(({ key, digest }) => {
      const manifest = byKey.get(key);
      return manifest?.digest === digest ? [manifest] : [];
    });
    if (of !== 'manifests' || !files.some(({ key }) => byKey.has(key))) continue;
    if (group.length < files.length) {
      await forgetQuilt(context.journal, prefix);
      continue;
    }
    await storeQuilt(context, 'manifests', group);
    for (const { key } of group) byKey.delete(key);
  }
  const free = [...byKey.values()];
  const sizes = free.map(({ bytes }) => bytes.length);
  for (const places of planQuilts(sizes, context.store.abilities)) {
    await storeQuilt(
      context,
      'manifests',
      places.map((i) => free[i]!),
    );
  }
}

/** What is wrong with one file stops no other, and is told when it is contributed. What may pass stops them all. */
async function orLeftOut<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UsufructError && error.entry.retry !== 'later') return null;
    throw error;
  }
}

async function filter<T>(items: readonly T[], holds: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept: T[] = [];
  for (const item of items) if (await holds(item)) kept.push(item);
  return kept;
}
