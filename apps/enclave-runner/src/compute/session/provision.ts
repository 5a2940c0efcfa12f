import {
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
import type { IndexContents } from '../index-store/index-file.js';
import type { OpenedIndex } from '../index-store/index-store.js';
import type { Segments } from '../index-store/segments.js';
import { fetchManifest } from '../provision/manifest.js';
import { openContribution } from '../provision/open-contribution.js';
import { Corpus, type CorpusDocument, type StoredIndex } from '../rag/index.js';
import { allowedContributions } from './consent.js';

const MANIFESTS_AT_ONCE = 8;
/** Documents are decrypted and parsed in memory, so few at once. */
const DOCUMENTS_AT_ONCE = 2;
/** Text of one session, in UTF-16 units: what the index of it takes fits into the memory of a small machine. */
const SESSION_TEXT_CHARS = 128 * 1024 ** 2;

/**
 * What is read once and never again for the same grants: the bytes are what the contributor signed, and they are not
 * good. `DOCUMENT_TOO_COMPLEX` hangs on how fast the machine is, too; tried again each time, one hostile document would
 * take every session its half minute.
 */
const STAYS_UNREADABLE: readonly ErrorCode[] = [
  'FORMAT_UNKNOWN',
  'FORMAT_BROKEN',
  'FILE_EMPTY',
  'FILE_TOO_LARGE',
  'DOCUMENT_LOCKED',
  'DOCUMENT_TOO_COMPLEX',
  'ENVELOPE_MALFORMED',
  'ENVELOPE_TAMPERED',
];

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

/**
 * From a funded job to an index in memory. Where the disk has one for the grants as they are now, its key is leased and
 * it is opened; what is not in it, or everything, comes from its manifests, one release of their keys, decryption and
 * parsing. A contribution that may not be used or cannot be opened is left out with its reason and stops nothing.
 *
 * Refuses `NO_USABLE_DATA` when nobody allows this use, and the reason itself when it is the same for everything that
 * was allowed (for example `SHARES_INSUFFICIENT` while holders are away).
 */
export async function provision(
  context: RunnerContext,
  job: JobView,
  dao: DaoView,
  onKeys: () => void,
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
  const allowed = contributions.filter(({ id }) => grants.has(id));
  if (allowed.length === 0) throw refuse('NO_USABLE_DATA', { datasetId: job.datasetId });
  const stored = await openStored(context, job, dao);
  const known = storedParts(stored, grants, leftOut);
  if (stored !== null) onKeys();
  const missing = allowed.filter(({ id }) => !known.ids.has(id));
  // Near duplicates are sought within an index, by a hash that no contributor can know.
  const sketchKey = stored?.contents.sketchKey ?? context.random(8);
  const manifests = await readManifests(context, missing, leftOut);
  const segments = context.indexes?.segmentsOf(context, dao);
  const opening = { manifests, grants, sketchKey, leftOut, known, segments };
  const fresh = missing.length === 0 ? null : await openMissing(context, { job, dao }, opening, onKeys);
  const documents = inOrder(contributions, [...known.documents, ...(fresh?.documents ?? [])]);
  if (documents.length === 0) throw nothingOpened(allowed, leftOut);
  return {
    corpus: await Corpus.open(documents, context.retrieval, indexOf(stored)),
    documents,
    unreadable: [...known.unreadable, ...(fresh?.unreadable ?? [])],
    sketchKey,
    allowedCount: allowed.length,
    isKept: stored !== null && (fresh === null || fresh.documents.length + fresh.unreadable.length === 0),
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

interface StoredParts extends Pick<IndexContents, 'documents' | 'unreadable'> {
  readonly ids: ReadonlySet<ContributionId>;
}

/** Of a stored index what this job may use; what it names as unreadable is left out, and nobody is asked for its key. */
function storedParts(
  stored: OpenedIndex | null,
  grants: ReadonlyMap<ContributionId, unknown>,
  leftOut: LeftOutList,
): StoredParts {
  const documents = stored?.contents.documents.filter(({ contributionId }) => grants.has(contributionId)) ?? [];
  const unreadable = stored?.contents.unreadable.filter(({ contributionId }) => grants.has(contributionId)) ?? [];
  for (const { contributionId, code } of unreadable) leftOut.add(contributionId, code);
  return { documents, unreadable, ids: new Set([...documents, ...unreadable].map((one) => one.contributionId)) };
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
  readonly known: StoredParts;
  readonly segments: Segments | undefined;
}
interface Opened extends Pick<IndexContents, 'documents' | 'unreadable'> {
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
): Promise<Manifest[]> {
  const { chainId } = await context.chain.info();
  const sets = new Map<string, Promise<HolderSetView>>();
  const setOf = (id: ContributionView['holderSetId']): Promise<HolderSetView> => {
    const known = sets.get(id) ?? context.chain.holderSet(id);
    sets.set(id, known);
    return known;
  };
  const manifests = await mapWindow(contributions, MANIFESTS_AT_ONCE, async (contribution) => {
    const set = await setOf(contribution.holderSetId);
    return orLeftOut(leftOut, contribution.id, () => fetchManifest(context.blobs, contribution, set, chainId));
  });
  return manifests.filter((manifest) => manifest !== null);
}

async function openAll(
  context: RunnerContext,
  opening: Opening,
  released: ReleasedKeys,
): Promise<Pick<IndexContents, 'documents' | 'unreadable'>> {
  const { manifests, leftOut, known } = opening;
  let chars = known.documents.reduce((total, { document }) => total + charsOf(document), 0);
  const noRoom = new Set<ContributionId>();
  const documents = await mapWindow(manifests, DOCUMENTS_AT_ONCE, async (manifest) => {
    const { contributionId } = manifest;
    const opened = await orLeftOut(leftOut, contributionId, () => openOne(context, manifest, released, opening));
    if (opened === null) return null;
    const own = charsOf(opened.document);
    // What is left out takes no room: one large document does not push out the small ones after it.
    if (chars + own > SESSION_TEXT_CHARS) {
      noRoom.add(contributionId);
      leftOut.add(contributionId, 'FILE_TOO_LARGE');
      return null;
    }
    chars += own;
    return opened;
  });
  const unreadable = manifests.flatMap(({ contributionId }) => {
    const code = leftOut.codeOf(contributionId);
    const stays = code !== undefined && STAYS_UNREADABLE.includes(code) && !noRoom.has(contributionId);
    return stays ? [{ contributionId, code }] : [];
  });
  return { documents: documents.filter((document) => document !== null), unreadable };
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

/** About what ingestion counts: text, and the headings above it. */
const charsOf = ({ chunks }: CorpusDocument['document']): number =>
  chunks.reduce(
    (total, { text, headings }) => headings.reduce((sum, title) => sum + title.length, total + text.length),
    0,
  );

async function orLeftOut<T>(leftOut: LeftOutList, id: ContributionId, run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    leftOut.add(id, toUsufructError(error).code);
    return null;
  }
}

function nothingOpened(allowed: readonly ContributionView[], leftOut: LeftOutList): UsufructError {
  const codes = new Set(allowed.map(({ id }) => leftOut.codeOf(id)));
  const [only] = codes;
  const all = [...codes].map(String).toSorted().join(', ');
  const details = { allowed: String(allowed.length), reasons: all };
  return refuse(codes.size === 1 && only !== undefined ? only : 'NO_USABLE_DATA', details);
}
