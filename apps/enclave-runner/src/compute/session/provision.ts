import {
  CATALOGUE,
  toUsufructError,
  refuse,
  type UsufructError,
  type ContributionId,
  type Digest,
  type ErrorCode,
  type GrantId,
  type TimestampMs,
} from '@usufruct/kernel';
import {
  NO_EVIDENCE,
  type ContributionView,
  type DaoView,
  type HolderSetView,
  type JobView,
  type Manifest,
} from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { releaseByMode } from '../../keys/by-mode.js';
import type { ReleasedKeys } from '../../keys/key-port.js';
import { grantsNow } from '../../keys/leased-key.js';
import { mapWindow } from '../../map-window.js';
import { inTurns } from '../../slices.js';
import { forgetRetired } from '../extraction/monitor.js';
import type { IndexContents } from '../index-store/index-file.js';
import type { OpenedIndex } from '../index-store/index-store.js';
import type { Segments } from '../index-store/segments.js';
import { fetchManifest } from '../provision/manifest.js';
import { openContribution } from '../provision/open-contribution.js';
import { Corpus, DOCUMENT_REFUSALS, type CorpusDocument, type StoredIndex } from '../rag/index.js';
import { allowedContributions } from './consent.js';
import { Places } from './places.js';
import type { Share } from './room.js';

const MANIFESTS_AT_ONCE = 8;
/** Documents are decrypted and parsed in memory, so few at once. */
const DOCUMENTS_AT_ONCE = 2;

/**
 * What is read once and never again for the same grants: the bytes are what the contributor signed, and they are not
 * good. `DOCUMENT_TOO_COMPLEX` hangs on how fast the machine is, too; tried again each time, one hostile document would
 * take every session its half minute.
 */
const STAYS_UNREADABLE: readonly ErrorCode[] = [...DOCUMENT_REFUSALS, 'ENVELOPE_MALFORMED', 'ENVELOPE_TAMPERED'];

/** Of this process. */
const MOST_REMEMBERED = 100_000;

export interface LeftOut {
  readonly contributionId: ContributionId;
  readonly code: ErrorCode;
}
export interface Provisioned extends IndexContents {
  /** Of `documents`. */
  readonly corpus: Corpus;
  /** How many contributions the grants allow, whether they could be read or not. */
  readonly allowedCount: number;
  /** Whether the disk has an index of just this. */
  readonly isKept: boolean;
  readonly leftOut: readonly LeftOut[];
  /** Of the bundle for which the holders released their shares; `NO_EVIDENCE` where none did. */
  readonly evidenceDigest: Digest;
  /** Until when the holders leased the index; null where its keys were released for the job. */
  readonly endsAtMs: TimestampMs | null;
}

/** One of several, perhaps, to open the same session. */
export interface Attempt {
  readonly onKeys: () => void;
  /** The session's end: nothing more is read then. */
  readonly signal: AbortSignal;
  /** Found to stay so by this process before; this attempt adds to it what it finds, whether it comes to its end or not. */
  readonly unreadable: Map<ContributionId, ErrorCode>;
  /** Of the memory of the process. */
  readonly share: Share;
}

/**
 * From a funded job to an index in memory. Where the disk has one for the grants as they are now, its key is leased and
 * it is opened; what is not in it, or everything, comes from its manifests, one release of their keys, decryption and
 * parsing. A contribution that may not be used or cannot be opened is left out with its reason and stops nothing.
 *
 * Refuses `NO_USABLE_DATA` when nobody allows this use. Where nothing that is allowed can be opened, it refuses the reason
 * if it is the same for all, else one that may pass (for example `SHARES_INSUFFICIENT` while holders are away), else
 * `NO_USABLE_DATA`.
 */
export async function provision(
  context: RunnerContext,
  job: JobView,
  dao: DaoView,
  { onKeys, signal, unreadable, share }: Attempt,
): Promise<Provisioned> {
  const { chain, clock } = context;
  const [dataset, contributions] = await Promise.all([
    chain.dataset(job.datasetId),
    chain.contributionsOf(job.datasetId),
  ]);
  const on = { job, dao, dataset };
  const { grants, refused } = await allowedContributions(context, on, contributions, clock.nowMs());
  const leftOut = new LeftOutList(refused);
  void context.indexes?.forgetRetired(contributions);
  // Also what was retired while no session was there to see it.
  await forgetRetired(
    context,
    contributions.flatMap(({ id, tombstonedAtMs }) => (tombstonedAtMs === null ? [] : [id])),
  );
  const allowed = contributions.filter(({ id }) => grants.has(id));
  if (allowed.length === 0) throw refuse('NO_USABLE_DATA', { datasetId: job.datasetId });
  const stored = await openStored(context, job, dao);
  const known = knownParts(stored, unreadable, grants, leftOut);
  if (stored !== null) onKeys();
  const missing = allowed.filter(({ id }) => !known.ids.has(id));
  // Near duplicates are sought within an index, by a hash that no contributor can know.
  const sketchKey = stored?.contents.sketchKey ?? context.random(8);
  const manifests = await readManifests(context, missing, leftOut, signal);
  const segments = context.indexes?.segmentsOf(context, dao);
  const places = new Places(contributions, share);
  await inTurns(placing(known.documents, places));
  const opening = { manifests, grants, sketchKey, leftOut, places, segments, signal, unreadable };
  const fresh = missing.length === 0 ? null : await openMissing(context, { job, dao }, opening, onKeys);
  for (const id of places.withoutPlace) leftOut.add(id, 'FILE_TOO_LARGE');
  const documents = inOrder(contributions, places.documents);
  if (documents.length === 0) throw nothingOpened(allowed, leftOut);
  return {
    corpus: await Corpus.open(documents, context.retrieval, indexOf(stored), signal),
    documents,
    unreadable: [...known.unreadable, ...(fresh?.unreadable ?? [])],
    sketchKey,
    allowedCount: allowed.length,
    isKept: stored !== null && !isNew(documents, stored) && (fresh?.unreadable ?? []).length === 0,
    leftOut: leftOut.entries(),
    evidenceDigest: stored?.evidenceDigest ?? fresh?.evidenceDigest ?? NO_EVIDENCE,
    endsAtMs: stored?.endsAtMs ?? null,
  };
}

const indexOf = (stored: OpenedIndex | null): StoredIndex | undefined =>
  stored?.contents.index && { documents: stored.contents.documents, bytes: stored.contents.index };

/** Null where nothing is kept, or the grants as they are now have no index that opens. */
async function openStored(context: RunnerContext, job: JobView, dao: DaoView): Promise<OpenedIndex | null> {
  const { indexes } = context;
  return indexes === undefined ? null : indexes.open(context, { job, dao, grants: await grantsNow(context, job) });
}

/** One of them can be large. */
function* placing(documents: readonly CorpusDocument[], places: Places): Generator<void, void, void> {
  for (const document of documents) {
    places.add(document);
    yield;
  }
}

/** Whether any of them is not in it. */
function isNew(documents: readonly CorpusDocument[], { contents }: OpenedIndex): boolean {
  const known = new Set(contents.documents);
  return documents.some((document) => !known.has(document));
}

interface KnownParts extends Pick<IndexContents, 'documents' | 'unreadable'> {
  readonly ids: ReadonlySet<ContributionId>;
}

/** Of a stored index what this job may use; what is known to be unreadable is left out, and nobody is asked for its key. */
function knownParts(
  stored: OpenedIndex | null,
  before: ReadonlyMap<ContributionId, ErrorCode>,
  grants: ReadonlyMap<ContributionId, unknown>,
  leftOut: LeftOutList,
): KnownParts {
  const documents = stored?.contents.documents.filter(({ contributionId }) => grants.has(contributionId)) ?? [];
  const read = new Set(documents.map(({ contributionId }) => contributionId));
  const named = stored?.contents.unreadable.map((one) => [one.contributionId, one.code] as const) ?? [];
  const unreadable = [...new Map([...before, ...named])]
    .map(([contributionId, code]) => ({ contributionId, code }))
    .filter(({ contributionId }) => grants.has(contributionId) && !read.has(contributionId));
  for (const { contributionId, code } of unreadable) leftOut.add(contributionId, code);
  return { documents, unreadable, ids: new Set([...read, ...unreadable.map((one) => one.contributionId)]) };
}

/** The order decides between equals: an index from the disk finds what one made anew finds. */
function inOrder(contributions: readonly ContributionView[], documents: readonly CorpusDocument[]): CorpusDocument[] {
  const places = new Map(contributions.map(({ id }, place) => [id, place]));
  const placeOf = ({ contributionId }: CorpusDocument): number => places.get(contributionId) ?? 0;
  return documents.toSorted((a, b) => placeOf(a) - placeOf(b));
}

interface Opening {
  readonly manifests: readonly Manifest[];
  readonly grants: ReadonlyMap<ContributionId, GrantId>;
  readonly sketchKey: Uint8Array;
  readonly leftOut: LeftOutList;
  readonly places: Places;
  readonly segments: Segments | undefined;
  readonly signal: AbortSignal;
  readonly unreadable: Map<ContributionId, ErrorCode>;
}
interface Opened extends Pick<IndexContents, 'unreadable'> {
  readonly evidenceDigest: Digest;
}

async function openMissing(
  context: RunnerContext,
  { job, dao }: { readonly job: JobView; readonly dao: DaoView },
  opening: Opening,
  onKeys: () => void,
): Promise<Opened> {
  const { manifests, grants } = opening;
  const wanted = manifests.map((manifest) => ({ manifest, grantId: grants.get(manifest.contributionId)! }));
  const released = await releaseByMode(context, { job, dao, wanted });
  onKeys();
  return { ...(await openAll(context, opening, released)), evidenceDigest: released.evidenceDigest };
}

class LeftOutList {
  readonly #codes: Map<ContributionId, ErrorCode>;
  constructor(refused: ReadonlyMap<ContributionId, ErrorCode>) {
    this.#codes = new Map(refused);
  }
  add(contributionId: ContributionId, code: ErrorCode): void {
    this.#codes.set(contributionId, code);
  }
  codeOf(contributionId: ContributionId): ErrorCode | undefined {
    return this.#codes.get(contributionId);
  }
  entries(): LeftOut[] {
    return [...this.#codes].map(([contributionId, code]) => ({ contributionId, code }));
  }
}

async function readManifests(
  context: RunnerContext,
  contributions: readonly ContributionView[],
  leftOut: LeftOutList,
  signal: AbortSignal,
): Promise<Manifest[]> {
  const { chainId } = await context.chain.info();
  const sets = new Map<string, Promise<HolderSetView>>();
  const setOf = (id: ContributionView['holderSetId']): Promise<HolderSetView> => {
    const known = sets.get(id) ?? context.chain.holderSet(id);
    sets.set(id, known);
    return known;
  };
  const manifests = await mapWindow(contributions, MANIFESTS_AT_ONCE, async (contribution) => {
    requireGoingOn(signal);
    const set = await setOf(contribution.holderSetId);
    return orLeftOut(leftOut, contribution.id, () => fetchManifest(context.blobs, contribution, set, chainId));
  });
  return manifests.filter((manifest) => manifest !== null);
}

async function openAll(
  context: RunnerContext,
  opening: Opening,
  released: ReleasedKeys,
): Promise<Pick<IndexContents, 'unreadable'>> {
  const { manifests, leftOut, places, signal, unreadable } = opening;
  await mapWindow(manifests, DOCUMENTS_AT_ONCE, async (manifest) => {
    requireGoingOn(signal);
    const { contributionId } = manifest;
    const opened = await orLeftOut(leftOut, contributionId, () => openOne(context, manifest, released, opening));
    const code = leftOut.codeOf(contributionId);
    if (opened !== null) places.add(opened);
    else if (staysUnreadable(code)) remember(unreadable, contributionId, code);
  });
  const found = manifests.flatMap(({ contributionId }) => {
    const code = leftOut.codeOf(contributionId);
    return staysUnreadable(code) ? [{ contributionId, code }] : [];
  });
  return { unreadable: found };
}

const staysUnreadable = (code: ErrorCode | undefined): code is ErrorCode =>
  code !== undefined && STAYS_UNREADABLE.includes(code);

function remember(unreadable: Map<ContributionId, ErrorCode>, id: ContributionId, code: ErrorCode): void {
  unreadable.set(id, code);
  const [oldest] = unreadable.keys();
  if (unreadable.size > MOST_REMEMBERED && oldest !== undefined) unreadable.delete(oldest);
}

/** As an earlier session cut it, where the disk has that. */
async function openOne(
  { blobs }: RunnerContext,
  manifest: Manifest,
  released: ReleasedKeys,
  { sketchKey, segments }: Opening,
): Promise<CorpusDocument> {
  const sessionKey = released.sessionKeyOf(manifest);
  try {
    const stored = await segments?.open(manifest, sessionKey, sketchKey);
    if (stored) return stored;
    const opened = await openContribution(blobs, manifest, sessionKey, sketchKey);
    await segments?.keep(opened, manifest, sessionKey);
    return opened;
  } finally {
    sessionKey.fill(0);
  }
}

function requireGoingOn(signal: AbortSignal): void {
  if (signal.aborted) throw refuse('ATTESTATION_STALE', { reason: 'the session is over' });
}

async function orLeftOut<T>(leftOut: LeftOutList, id: ContributionId, run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    leftOut.add(id, toUsufructError(error).code);
    return null;
  }
}

/** A session waits for what may pass, whatever stands in the way of the others; last for wrong bytes, of which it counts. */
function nothingOpened(allowed: readonly ContributionView[], leftOut: LeftOutList): UsufructError {
  const codes = [...new Set(allowed.flatMap(({ id }) => leftOut.codeOf(id) ?? []))].toSorted();
  const passing = codes.filter((code) => CATALOGUE[code].retry === 'later');
  const waitedFor = passing.find((code) => code !== 'BLOB_MISMATCH') ?? passing[0];
  const only = codes.length === 1 ? codes[0] : undefined;
  const details = { allowed: String(allowed.length), reasons: codes.join(', ') };
  return refuse(only ?? waitedFor ?? 'NO_USABLE_DATA', details);
}
